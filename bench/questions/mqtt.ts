// How many messages of a thousand devices can one worker bring into the log from a broker, and whose processor time is it? Target:
// 10,000 messages a second with QoS 1. All share the machine: broker, devices, worker and PostgreSQL. So the time of each is
// told, too. The broker restarts on the way, behind what is timed, and every message is there once.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { alternate, atLeast, atMost, medianOf, type Question, type Sample } from '../core/answer.js'
import type { Lab } from '../core/lab.js'
import { Mosquitto, mosquittoSettings, mosquittoVersion } from '../core/mosquitto.js'
import { monotonicMs } from '../core/payload.js'
import { processorMsOf } from '../core/processor.js'
import { type Run, wholePart } from '../core/run.js'
import { tied } from '../core/tied.js'

const question = 'mqtt'
const devicesCount = 1_000
const pollMs = 200
/** Without any progress for so long, what is missing is lost. */
const stillMsMax = 30_000
const worker = fileURLToPath(new URL('./mqtt-run.mjs', import.meta.url))
const generator = fileURLToPath(new URL('../../test/mqtt-devices-run.ts', import.meta.url))
const perMessage = 'µs/message'
const units = {
  ...{ taken: 'messages/s', published: 'messages/s' },
  ...{
    worker: perMessage,
    PostgreSQL: perMessage,
    broker: perMessage,
    devices: perMessage,
    together: perMessage,
  },
}

export const mqtt: Question = {
  name: question,
  title: 'MQTT: a thousand devices, one worker, QoS 1, the broker restarted',
  async measure(lab) {
    const version = mosquittoVersion()
    if (version === null) throw new Error('there is no mosquitto here (Debian: apt-get install mosquitto)')
    const figures = await alternate(lab, question, units, [{ system: 'eventspine', run: () => taken(lab) }])
    return {
      figures,
      verdicts: [
        atLeast(question, '>= 10,000 messages/s', medianOf(figures, 'eventspine', 'taken'), 10_000),
        atMost(
          question,
          '<= 200 µs of processor time for a message, which is what two cores have at that rate',
          medianOf(figures, 'eventspine', 'together'),
          200,
        ),
      ],
      settings: {
        mosquitto: { version, ...mosquittoSettings },
        devices: devicesCount,
        messages: messagesOf(lab),
      },
    }
  },
}

/** A fifth of them before it is measured, and a fifth over the restart behind it. */
const messagesOf = ({ options: { scale } }: Lab) => scale.peerBacklogEvents * 2
const share = 5

function taken(lab: Lab): Promise<Sample> {
  const messages = messagesOf(lab)
  const aside = Math.ceil(messages / share)
  return lab.run('eventspine', { ...wholePart, publishes: false }, async (run) => {
    const broker = new Mosquitto(join(lab.directory, 'mosquitto'))
    const children: ChildProcess[] = []
    try {
      await broker.start()
      const [source, devices] = await started(run, broker, children)
      await devices.publish(aside)
      await stored(run, aside)
      const sample = await timed(run, { broker, source, devices }, aside, messages)
      const published = devices.publish(aside)
      await broker.stop()
      await broker.start()
      await published
      await stored(run, messages + 2 * aside)
      await prove(run, messages + 2 * aside)
      return sample
    } finally {
      await Promise.all(children.map(ended))
      await broker.remove()
    }
  })
}

/** What it takes until the last is durable, of the devices and of everybody else. */
async function timed(
  run: Run,
  { broker, source, devices }: Parts,
  before: number,
  messages: number,
): Promise<Sample> {
  const [postgres] = await run.sql<{ id: number }>(
    `SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int AS id`,
  )
  const processes = { worker: source.pid ?? 0, PostgreSQL: postgres?.id ?? 0, broker: broker.processId }
  const used = () => Object.values(processes).map((id) => processorMsOf(id) ?? Number.NaN)
  const usedBefore = used()
  const beganAtMs = monotonicMs()
  const published = devices.publish(messages)
  await stored(run, before + messages)
  const seconds = (monotonicMs() - beganAtMs) / 1_000
  const usedAfter = used()
  const own = await published
  const each = Object.keys(processes).map((name, index): [string, number] => [
    name,
    (((usedAfter[index] ?? 0) - (usedBefore[index] ?? 0)) * 1_000) / messages,
  ])
  const all: [string, number][] = [...each, ['devices', own.microseconds / messages]]
  const together = all.reduce((sum, [, microseconds]) => sum + microseconds, 0)
  return {
    taken: messages / seconds,
    published: messages / own.seconds,
    ...Object.fromEntries(Number.isNaN(together) ? [] : [...all, ['together', together]]),
  }
}

interface Parts {
  readonly broker: Mosquitto
  readonly source: ChildProcess
  readonly devices: DevicesProcess
}

/** The worker first: the broker is to know that somebody wants the messages. */
async function started(
  run: Run,
  broker: Mosquitto,
  children: ChildProcess[],
): Promise<[ChildProcess, DevicesProcess]> {
  const source = begun([youngSpace, worker, run.place.databaseUrl, broker.url], children)
  await says(source, 'connected to the MQTT broker')
  const loader = ['--import', import.meta.resolve('tsx')]
  const devices = begun([...loader, generator, String(broker.port), String(devicesCount)], children)
  await says(devices, 'connected')
  return [source, new DevicesProcess(devices)]
}

/** What the command `eventspine` starts its processes with. */
const youngSpace = '--max-semi-space-size=64'

function begun(parameters: readonly string[], children: ChildProcess[]): ChildProcess {
  const child = tied(
    spawn(process.execPath, parameters, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production' },
    }),
  )
  children.push(child)
  return child
}

async function says(child: ChildProcess, text: string): Promise<void> {
  let said = ''
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk
      if (said.includes(text)) resolve()
    })
    child.once('exit', () => reject(new Error(`A measured process ended: ${said}`)))
  })
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const end = once(child, 'exit')
  child.kill('SIGKILL')
  await end
}

/** A process of its own, so that its processor time is nobody else's. */
class DevicesProcess {
  readonly #child: ChildProcess
  #answer: (line: string) => void = () => {}

  constructor(child: ChildProcess) {
    this.#child = child
    if (child.stdout !== null)
      createInterface({ input: child.stdout }).on('line', (line) => this.#answer(line))
  }

  /** Resolves when the broker has taken over so many more. */
  async publish(messages: number): Promise<{ readonly seconds: number; readonly microseconds: number }> {
    const answered = new Promise<string>((resolve) => (this.#answer = resolve))
    this.#child.stdin?.write(`${messages}\n`)
    const [seconds = 0, microseconds = 0] = (await answered).split(' ').map(Number)
    return { seconds, microseconds }
  }
}

/** Resolves when so many were stored at least. A number of the log may be taken and never used: `prove` counts. */
async function stored(run: Run, messages: number): Promise<void> {
  for (let before = -1, movedAtMs = monotonicMs(); ; ) {
    const [log] = await run.sql<{ last: number }>(
      'SELECT last_value::float8 AS last FROM eventspine.event_seq',
    )
    const last = log?.last ?? 0
    if (last >= messages) return
    if (last !== before) movedAtMs = monotonicMs()
    before = last
    if (monotonicMs() - movedAtMs > stillMsMax)
      throw new Error(`${messages - last} of ${messages} messages never came`)
    await delay(pollMs)
  }
}

async function prove(run: Run, messages: number): Promise<void> {
  const count = async () => {
    const [ledger] = await run.sql<{ events: number; numbers: number }>(
      `SELECT count(*)::float8 AS events, count(DISTINCT data ->> 'n')::float8 AS numbers
       FROM eventspine.event WHERE type = 'wards.vitals-taken'`,
    )
    return { events: ledger?.events ?? 0, numbers: ledger?.numbers ?? 0 }
  }
  const endAtMs = monotonicMs() + stillMsMax
  let ledger = await count()
  // Those sent again over the restart took numbers of the log as well.
  for (; ledger.numbers < messages && monotonicMs() < endAtMs; ledger = await count()) await delay(pollMs)
  if (ledger.events !== messages || ledger.numbers !== messages)
    throw new Error(`the ledger is not exact: ${JSON.stringify(ledger)} of ${messages} messages`)
}
