// Worker, broker and PostgreSQL are killed while devices publish by MQTT: the alarms are those of the plain computation over the readings
// as they stand in the log, each raised once, and each pushed at least once, by one id. A kill can let readings overtake others on
// their way into the log; they are counted, and so is what that changes.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findFreePort } from '@eventspine/embedded'
import { alarmsOf, type Row } from '../plain.js'
import { Hospital } from './hospital.js'
import type { LoadOptions } from './load.js'
import { type Plan, rowsOf } from './stream.js'

export interface Survived {
  readonly kills: number
  readonly readings: number
  /** Stand in the log behind one of their bed that was taken later. */
  readonly overtaken: number
  readonly implied: number
  /** Alarms that are implied and were not raised, raised and not implied, raised more than once. */
  readonly missing: number
  readonly wrong: number
  readonly twice: number
  /** Alarms of the log's order that are none of the order in which readings were taken, and the other way round. */
  readonly byOvertaking: number
  readonly pushed: number
  readonly notPushed: number
}

const mosquitto = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'].find(
  existsSync,
)
/** Why the chapter is left out. */
export const brokerMissing =
  mosquitto === undefined ? 'there is no mosquitto here: apt-get install mosquitto' : undefined

const pollMs = 100
const minuteMs = 60_000
const arriveMsMax = 300_000
const listenMsMax = 10_000
const eventsPerSecond = 50

export async function survive({ stays, seconds, beds, say }: LoadOptions): Promise<Survived> {
  const hospital = await Hospital.open('today')
  const broker = new Broker(await findFreePort())
  try {
    await broker.start()
    const orders = { recordsAreBehind: false, brokerUrl: broker.url }
    let worker = await hospital.worker(orders)
    const plan: Plan = { name: 'k', beds, seconds, eventsPerSecond, each: 'parameter', staySeconds: seconds }
    const generator = await hospital.generator({ plan, brokerUrl: broker.url })
    generator.tell({ kind: 'start' })
    const { startMs } = await generator.says('started')
    const strikes: readonly (readonly [what: string, strike: () => Promise<unknown>])[] = [
      ['the worker', async () => (await worker.kill(), (worker = await hospital.worker(orders)))],
      ['the broker', () => broker.kill().then(() => broker.start())],
      ['PostgreSQL', () => hospital.killPostgres()],
    ]
    for (const [index, [what, strike]] of strikes.entries()) {
      await sleep(Math.max(0, startMs + (seconds * 1_000 * (index + 1)) / 4 - Date.now()))
      say(`kills ${what}`)
      await strike()
    }
    const { sent } = await generator.says('done', seconds * 1_000 + arriveMsMax)
    say('waits until everything has arrived')
    await arrived(hospital, sent.readings)
    await hospital.settled(arriveMsMax)
    const { rows, overtaken } = await logged(hospital, startMs)
    const implied = alarmsOf(rows, startMs)
    const meant = alarmsOf(rowsOf(plan, stays), startMs)
    return {
      ...{ kills: strikes.length, readings: sent.readings, overtaken },
      byOvertaking: countOf(implied, (id) => !meant.has(id)) + countOf(meant, (id) => !implied.has(id)),
      ...(await compare(hospital, implied)),
    }
  } finally {
    await hospital.close()
    await broker.stop()
  }
}

async function arrived(hospital: Hospital, readings: number): Promise<void> {
  const count = async () => {
    const [row] = await hospital.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM eventspine.event WHERE type = 'ward.readings-taken'`,
    )
    return row?.count ?? 0
  }
  for (const until = Date.now() + arriveMsMax; (await count().catch(() => 0)) < readings; await sleep(pollMs))
    if (Date.now() > until) throw new Error(`Of ${readings} readings only ${await count()} are in the log`)
}

/** As rows of the plain computation, in the order of the log, without what comes behind a newer one of its parameter: that is for the charts. */
async function logged(hospital: Hospital, startMs: number): Promise<{ rows: Row[]; overtaken: number }> {
  const all = await hospital.query<{ bed: string; parameter: string; value: number; takenAt: string }>(
    `SELECT data ->> 'bed' AS bed, reading ->> 'parameter' AS parameter, (reading ->> 'value')::float8 AS value,
            reading ->> 'takenAt' AS "takenAt"
     FROM eventspine.event, json_array_elements(data -> 'readings') AS reading
     WHERE type = 'ward.readings-taken' ORDER BY epoch, xid, seq`,
  )
  const newest = new Map<string, number>()
  const rows: Row[] = []
  let overtaken = 0
  for (const { bed, parameter, value, takenAt } of all) {
    const atMs = Date.parse(takenAt)
    if (atMs < (newest.get(bed) ?? 0)) overtaken += 1
    else newest.set(bed, atMs)
    const own = `${bed} ${parameter}`
    if (atMs < (newest.get(own) ?? 0)) continue
    newest.set(own, atMs)
    rows.push({ stay: bed, minute: (atMs - startMs) / minuteMs, parameter, value })
  }
  return { rows, overtaken }
}

const countOf = (some: Iterable<string>, isOne: (id: string) => boolean) => [...some].filter(isOne).length

async function compare(hospital: Hospital, implied: ReadonlySet<string>) {
  const rows = await hospital.query<{ id: string }>(
    `SELECT data ->> 'id' AS id FROM eventspine.event WHERE type = 'ward.alarm-raised'`,
  )
  const raised = new Set(rows.map(({ id }) => id))
  const pushed = new Set(hospital.push.received.map(({ alarm }) => alarm.id))
  return {
    implied: implied.size,
    missing: countOf(implied, (id) => !raised.has(id)),
    wrong: countOf(raised, (id) => !implied.has(id)),
    twice: rows.length - raised.size,
    pushed: pushed.size,
    notPushed: countOf(raised, (id) => !pushed.has(id)),
  }
}

/** A mosquitto that saves what it has taken, and is killed. */
class Broker {
  readonly #folder = mkdtempSync(join(tmpdir(), 'eventspine-ward-broker-'))
  readonly #port: number
  #child: ChildProcess | undefined

  constructor(port: number) {
    this.#port = port
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.#port}`
  }

  async start(): Promise<void> {
    const configuration = join(this.#folder, 'mosquitto.conf')
    writeFileSync(
      configuration,
      [
        ...[`listener ${this.#port} 127.0.0.1`, 'allow_anonymous true', 'persistence true', 'user root'],
        // Saved with each change: what it has acknowledged, it has.
        ...[`persistence_location ${this.#folder}/`, 'autosave_on_changes true', 'autosave_interval 1'],
        ...['max_queued_messages 0', 'max_inflight_messages 0'],
      ].join('\n'),
    )
    this.#child = spawn(mosquitto ?? 'mosquitto', ['-c', configuration], { stdio: 'ignore' })
    for (const until = Date.now() + listenMsMax; !(await this.#listens()); await sleep(pollMs))
      if (Date.now() > until) throw new Error('mosquitto does not listen')
  }

  #listens(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.#port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
