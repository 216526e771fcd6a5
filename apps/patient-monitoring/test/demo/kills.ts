// Worker, broker and PostgreSQL are killed while devices publish by MQTT: the alarms are those that the plain computation makes of what was
// sent, each raised once, and each pushed at least once, by one id. mosquitto acknowledges a message before it has saved it: what it had not
// saved when it was killed is gone, is counted, and is no part of what was sent.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { findFreePort } from '@eventspine/embedded'
import mqtt from 'mqtt'
import { alarmsOf, type Row } from '../plain.js'
import { Hospital } from './hospital.js'
import type { LoadOptions } from './load.js'
import { type Plan, rowsOf, type Stays, streamOf } from './stream.js'

export interface Survived {
  readonly kills: number
  readonly readings: number
  /** Readings that mosquitto was given in the second before it was killed, and that nobody was given by it. */
  readonly lostByBroker: number
  /** Any other that was sent and is not in the log. */
  readonly lost: number
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
export const faults = ['lost', 'overtaken', 'missing', 'wrong', 'twice', 'notPushed', 'pushedWrong'] as const

const mosquitto = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'].find(
  existsSync,
)
/** Why the chapter is left out. */
export const brokerMissing =
  mosquitto === undefined ? 'there is no mosquitto here: apt-get install mosquitto' : undefined

const pollMs = 100
const arriveMsMax = 300_000
const minuteMs = 60_000
const unsavedMsMax = 1_000
/** A temperature that nobody can have. */
const artefact = 17
const listenMsMax = 10_000
const eventsPerSecond = 200

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
    let brokerKilledMs = 0
    const killBroker = async () => {
      brokerKilledMs = Date.now()
      await broker.kill()
      await broker.start()
    }
    const strikes: readonly (readonly [what: string, strike: () => Promise<unknown>])[] = [
      ['the worker', async () => (await worker.kill(), (worker = await hospital.worker(orders)))],
      ['the broker', killBroker],
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
    await lastWords(hospital, broker.url, plan, stays)
    await hospital.settled(arriveMsMax)
    const judged = await judge(hospital, rowsOf(plan, stays), { startMs, brokerKilledMs })
    return { kills: strikes.length, readings: sent.readings, ...judged }
  } finally {
    await hospital.close()
    await broker.stop()
  }
}

/** Until so many readings are in the log. */
async function arrived(hospital: Hospital, readings: number): Promise<void> {
  await counted(
    hospital,
    readings,
    `SELECT count(*)::int AS count FROM eventspine.event WHERE type = 'ward.readings-taken'`,
  )
}

async function counted(hospital: Hospital, wanted: number, query: string): Promise<void> {
  const count = async () => (await hospital.query<{ count: number }>(query))[0]?.count ?? 0
  // PostgreSQL may be on its way up again.
  for (const until = Date.now() + arriveMsMax; (await count().catch(() => 0)) < wanted; await sleep(pollMs))
    if (Date.now() > until) throw new Error(`Only ${await count()} of ${wanted}: ${query}`)
}

/** Each bed says an artefact, which is no alarm, as its last: once that is in the log, all that the bed said before is there, or never will be. */
async function lastWords(hospital: Hospital, brokerUrl: string, plan: Plan, stays: Stays): Promise<void> {
  const wards = new Map([...streamOf(plan, stays)].map(({ ward, bed }) => [bed, ward]))
  const client = await mqtt.connectAsync(brokerUrl, { protocolVersion: 5 })
  const payload = JSON.stringify({ value: artefact, takenAt: new Date().toISOString() })
  for (const [bed, ward] of wards)
    await client.publishAsync(`ward/${ward}/bed/${bed}/Temp`, payload, { qos: 1 })
  await client.endAsync()
  await counted(
    hospital,
    wards.size,
    `SELECT count(*)::int AS count FROM eventspine.event
     WHERE type = 'ward.readings-taken' AND (data #>> '{readings,0,value}')::float8 = ${artefact} AND data #>> '{readings,0,parameter}' = 'Temp'`,
  )
}

const nameOf = ({ stay, parameter, minute }: Row, startMs: number) =>
  `${stay} ${parameter} ${Math.round(startMs + minute * minuteMs)}`

/** Names of the readings that are there. */
async function inLog(hospital: Hospital): Promise<ReadonlySet<string>> {
  const rows = await hospital.query<{ bed: string; parameter: string; takenAt: string }>(
    `SELECT data ->> 'bed' AS bed, reading ->> 'parameter' AS parameter, reading ->> 'takenAt' AS "takenAt"
     FROM eventspine.event, json_array_elements(data -> 'readings') AS reading WHERE type = 'ward.readings-taken'`,
  )
  return new Set(rows.map(({ bed, parameter, takenAt }) => `${bed} ${parameter} ${Date.parse(takenAt)}`))
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

interface Times {
  readonly startMs: number
  readonly brokerKilledMs: number
}

async function judge(hospital: Hospital, sent: readonly Row[], { startMs, brokerKilledMs }: Times) {
  const known = await inLog(hospital)
  const [there, gone] = [true, false].map((is) =>
    sent.filter((row) => known.has(nameOf(row, startMs)) === is),
  )
  const lost = (gone as Row[]).map(({ minute }) => startMs + minute * minuteMs)
  const byBroker = lost.filter((ms) => ms <= brokerKilledMs && ms > brokerKilledMs - unsavedMsMax)
  return {
    ...{ lostByBroker: byBroker.length, lost: lost.length - byBroker.length },
    overtaken: await overtaken(hospital),
    ...(await compare(hospital, alarmsOf(there as Row[], startMs))),
  }
}

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
        // As often as it can be: with each change.
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
