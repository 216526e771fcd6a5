// Capacity, then ten times of it, then half of it: what is shed, what is lost, what it costs, how long it takes to be
// as it was. Over HTTP once more, by clients that know no bounds.
import { startTemporaryPostgres } from '@eventspine/embedded'
import { ConnectionWatch, compareWithLog, until } from './log.js'
import { percentile, rounded } from './statistics.js'
import { HttpSubject, LibrarySubject, type Load, type Subject } from './subject.js'
import { System } from './system.js'
import { Trickle } from './trickle.js'

export interface OverloadReport {
  readonly subject: string
  readonly capacityPerSecond: number
  /** How many times the capacity were really offered: the generator shares the machine. */
  readonly offeredTimes: number
  readonly goodputShare: number
  readonly shedShare: number
  /** Not even sent: the system read no further on the connection. */
  readonly heldBackShare: number
  readonly acknowledged: number
  readonly lost: number
  readonly twice: number
  readonly rssPeakMebibytes: number
  readonly connectionsMax: number
  readonly loopLagMsMax: number
  readonly latencyMs99Before: number
  readonly latencyMs99During: number
  readonly latencyMs99After: number
  /** From the end of the overload until a window had its goodput and latency of before. */
  readonly recoverySeconds: number | null
  /** The same after clients that sent on without waiting, where there are such. */
  readonly rudeRecoverySeconds?: number | null
  readonly alarms: {
    readonly acknowledged: number
    readonly handled: number
    readonly ms99: number
    readonly msMax: number
  }
  readonly violations: readonly string[]
}

export interface OverloadOptions {
  readonly subject: 'http' | 'library'
  readonly seconds: number
  readonly say: (line: string) => void
}

const overloadTimes = 10
const calmShare = 0.4
const capacitySeconds = 4
const calmSeconds = 4
const recoverySecondsMax = 30
/** Of the overload, how long clients send on without waiting. */
const rudeShare = 0.5
/** A window of recovery is good when it has so much of what is offered, */
const goodputShareMin = 0.9
/** and its latency is at most so many times that of before, and a little. */
const latencyTimes = 2
const latencySlackMs = 50
const rssPeakMebibytesMax = 1_500
/** Twelve with fixed work, six for transactional handlers, one that listens, and one that cancels. */
const connectionsMax = 20
const alarmMsMax = 30_000
const mebibyte = 1024 * 1024

export async function overload({ subject: name, seconds, say }: OverloadOptions): Promise<OverloadReport> {
  const postgres = await startTemporaryPostgres()
  const system = new System(postgres.url)
  const connections = new ConnectionWatch(postgres.url)
  try {
    await connections.start()
    const started = await system.start()
    const subject = name === 'http' ? new HttpSubject(started) : new LibrarySubject(system)
    const alarms = new Trickle(started.url, started.alarmKey, 'ward.alarm')
    return await new Overload({ subject, system, alarms, connections, say }, postgres.url).run(seconds)
  } finally {
    await connections.stop()
    await system.stop()
    await postgres.stop()
  }
}

interface Parts {
  readonly subject: Subject
  readonly system: System
  readonly alarms: Trickle
  readonly connections: ConnectionWatch
  readonly say: (line: string) => void
}

class Overload {
  readonly #parts: Parts
  readonly #databaseUrl: string
  readonly #acknowledged = new Set<string>()
  readonly #violations: string[] = []
  readonly #alarmMs: number[] = []
  #first = 0

  constructor(parts: Parts, databaseUrl: string) {
    this.#parts = parts
    this.#databaseUrl = databaseUrl
  }

  async run(seconds: number): Promise<OverloadReport> {
    await this.#noted(this.#parts.subject.flood(1, this.#first), 'warming up')
    const flooded = await this.#noted(
      this.#parts.subject.flood(capacitySeconds, this.#first),
      'measuring capacity',
    )
    const capacity = flooded.acknowledged.length / flooded.seconds
    const calmRate = Math.max(20, Math.floor(capacity * calmShare))
    const before = await this.#noted(
      this.#parts.subject.pace(calmRate, calmSeconds, this.#first),
      `${calmRate}/s`,
    )
    await this.#figures()
    this.#parts.alarms.start()
    const rate = Math.floor(capacity * overloadTimes)
    const during = await this.#noted(
      this.#parts.subject.pace(rate, seconds, this.#first),
      `${rate}/s for ${seconds} s`,
    )
    const before99 = percentile(before.latencyMs, 0.99)
    const { recoverySeconds, after99 } = await this.#recover(calmRate, before99)
    const rude = await this.#rude(rate, seconds * rudeShare, calmRate, before99)
    const figures = await this.#figures()
    await this.#parts.alarms.stop()
    await this.#settleAlarms()
    const { lost, twice } = await compareWithLog(this.#databaseUrl, this.#acknowledged)
    const rssPeakMebibytes = Math.round(figures.rssPeakBytes / mebibyte)
    this.#judge(during, lost, twice, rssPeakMebibytes, recoverySeconds)
    if (rude === null)
      this.#violations.push(`not as before after rude clients, after ${recoverySecondsMax} s`)
    return {
      subject: this.#parts.subject.name,
      capacityPerSecond: Math.round(capacity),
      offeredTimes: rounded(during.offered / during.seconds / capacity),
      goodputShare: rounded((100 * during.acknowledged.length) / during.seconds / capacity) / 100,
      shedShare: Math.round((1_000 * during.shed) / during.offered) / 1_000,
      heldBackShare: Math.round((1_000 * during.heldBack) / during.offered) / 1_000,
      ...{ acknowledged: this.#acknowledged.size, lost, twice, rssPeakMebibytes },
      connectionsMax: this.#parts.connections.max,
      loopLagMsMax: figures.loopLagMsMax,
      latencyMs99Before: rounded(before99),
      latencyMs99During: rounded(percentile(during.latencyMs, 0.99)),
      latencyMs99After: rounded(after99),
      recoverySeconds,
      ...(rude === undefined ? {} : { rudeRecoverySeconds: rude }),
      alarms: {
        acknowledged: this.#parts.alarms.acknowledged,
        handled: this.#alarmMs.length,
        ms99: rounded(percentile(this.#alarmMs, 0.99)),
        msMax: rounded(Math.max(0, ...this.#alarmMs)),
      },
      violations: this.#violations,
    }
  }

  async #rude(rate: number, seconds: number, calmRate: number, before99: number) {
    const { subject } = this.#parts
    if (subject.rude === undefined) return undefined
    await this.#noted(subject.rude(rate, seconds, this.#first), `${rate}/s for ${seconds} s without waiting`)
    return (await this.#recover(calmRate, before99)).recoverySeconds
  }

  async #noted(loading: Promise<Load>, phase: string): Promise<Load> {
    const load = await loading
    this.#first += load.offered
    for (const n of load.acknowledged) this.#acknowledged.add(this.#parts.subject.idOf(n))
    const shown = `${load.offered} offered, ${load.acknowledged.length} acknowledged, ${load.shed} shed, ${load.heldBack} held back`
    this.#parts.say(
      `${this.#parts.subject.name}: ${phase}: ${shown}, p99 ${rounded(percentile(load.latencyMs, 0.99))} ms`,
    )
    for (const [what, count] of Object.entries(load.others))
      this.#violations.push(`${phase}: refused with ${what}, ${count} times`)
    if (load.unanswered > 0) this.#violations.push(`${phase}: ${load.unanswered} without an answer`)
    if (load.withoutRetryAfter > 0)
      this.#violations.push(`${phase}: ${load.withoutRetryAfter} refusals do not say when to come back`)
    return load
  }

  async #figures() {
    const figures = await this.#parts.system.figures()
    this.#alarmMs.push(...figures.alarmMs)
    return figures
  }

  // Calm load in pieces of a second, until one of them is as before.
  async #recover(calmRate: number, before99: number) {
    const beganAt = performance.now()
    const elapsed = () => rounded((performance.now() - beganAt) / 1_000)
    for (;;) {
      const load = await this.#noted(this.#parts.subject.pace(calmRate, 1, this.#first), 'afterwards')
      const after99 = percentile(load.latencyMs, 0.99)
      const goodput = load.acknowledged.length / load.offered
      if (goodput >= goodputShareMin && after99 <= before99 * latencyTimes + latencySlackMs)
        return { recoverySeconds: elapsed(), after99 }
      if (elapsed() > recoverySecondsMax) return { recoverySeconds: null, after99 }
    }
  }

  async #settleAlarms(): Promise<void> {
    const all = await until(async () => {
      await this.#figures()
      return this.#alarmMs.length >= this.#parts.alarms.acknowledged
    }, alarmMsMax)
    if (!all)
      this.#violations.push(
        `${this.#parts.alarms.acknowledged - this.#alarmMs.length} acknowledged alarms were not handled`,
      )
  }

  #judge(during: Load, lost: number, twice: number, rssPeakMebibytes: number, recovery: number | null): void {
    if (lost > 0) this.#violations.push(`${lost} acknowledged events are not in the log`)
    if (twice > 0) this.#violations.push(`${twice} events are in the log twice`)
    if (recovery === null) this.#violations.push(`not as before after ${recoverySecondsMax} s`)
    if (during.shed === 0) this.#violations.push('nothing was shed: the overload was none')
    if (this.#parts.alarms.acknowledged === 0) this.#violations.push('no alarm got through')
    const { max } = this.#parts.connections
    if (max > connectionsMax) this.#violations.push(`${max} connections at the peak`)
    if (rssPeakMebibytes > rssPeakMebibytesMax) this.#violations.push(`${rssPeakMebibytes} MiB at the peak`)
  }
}
