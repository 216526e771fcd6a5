// Worker, broker and PostgreSQL are killed while devices publish by MQTT: the alarms are those that the plain computation makes of what was
// sent, each raised once, and each pushed at least once, by one id.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findFreePort } from '@eventspine/embedded'
import { alarmsOf } from '../plain.js'
import { Hospital } from './hospital.js'
import type { LoadOptions } from './load.js'
import { type Plan, rowsOf } from './stream.js'

export interface Survived {
  readonly kills: number
  readonly readings: number
  /** Readings that stand in the log behind a later one of their bed. */
  readonly overtaken: number
  readonly implied: number
  /** Alarms that are implied and were not raised, raised and not implied, raised more than once. */
  readonly missing: number
  readonly wrong: number
  readonly twice: number
  /** Alarms that a phone was told of. */
  readonly pushed: number
  /** Raised, and no phone was told of them; told, and not raised. */
  readonly notPushed: number
  readonly pushedWrong: number
}

/** Of which none may be. */
export const faults = ['overtaken', 'missing', 'wrong', 'twice', 'notPushed', 'pushedWrong'] as const

const mosquitto = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'].find(
  existsSync,
)
/** Why the chapter is left out. */
export const brokerMissing =
  mosquitto === undefined ? 'there is no mosquitto here: apt-get install mosquitto' : undefined

const pollMs = 100
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
      // By what has arrived, and not by the clock: each falls into the midst of it, on any machine.
      await arrived(hospital, (seconds * eventsPerSecond * (index + 1)) / (strikes.length + 1))
      say(`kills ${what}`)
      await strike()
    }
    const { sent } = await generator.says('done', seconds * 1_000 + arriveMsMax)
    say('waits until everything has arrived')
    await arrived(hospital, sent.readings)
    await hospital.settled(arriveMsMax)
    const implied = alarmsOf(rowsOf(plan, stays), startMs)
    return {
      ...{ kills: strikes.length, readings: sent.readings, overtaken: await overtaken(hospital) },
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

async function overtaken(hospital: Hospital): Promise<number> {
  const [row] = await hospital.query<{ count: number }>(
    `SELECT (count(*) FILTER (WHERE taken_at < newest))::int AS count FROM (
       SELECT taken_at, max(taken_at) OVER (PARTITION BY bed ORDER BY epoch, xid, seq) AS newest FROM (
         SELECT epoch, xid, seq, data ->> 'bed' AS bed, (reading ->> 'takenAt')::timestamptz AS taken_at
         FROM eventspine.event, json_array_elements(data -> 'readings') AS reading
         WHERE type = 'ward.readings-taken') AS told) AS sorted`,
  )
  return row?.count ?? 0
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
    pushedWrong: countOf(pushed, (id) => !raised.has(id)),
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
