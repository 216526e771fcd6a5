// One run: set the stage, publish and strike, heal, drain, judge.
import { drain } from './drain.js'
import { until } from './engine.js'
import { Killer } from './killer.js'
import type { Ledger } from './ledger.js'
import { Link } from './link.js'
import { plantedOf } from './mutants.js'
import { type Recoveries, RecoveryWatch } from './recovery.js'
import { Redriver } from './redriver.js'
import { Stage } from './stage.js'
import { type StrikeLimits, type Strikes, strikeKinds } from './strikes.js'

export interface CrashOptions extends StrikeLimits {
  readonly seed: number
  readonly workers: number
  /** Publishes on their way at a time, in all. */
  readonly lanes: number
  /** A bug that is planted in the processes. */
  readonly mutant?: string
  readonly drainMsMax?: number
  /** Called every second or so with what has happened. */
  readonly progress: (line: string) => void
}

export interface CrashReport {
  readonly seed: number
  readonly seconds: number
  /** Of them, how long there were strikes. */
  readonly strikeSeconds: number
  readonly strikes: Strikes
  readonly ledger: Ledger
  readonly recoveries: Recoveries
  readonly drained: boolean
  readonly drainMs: number
  readonly quarantined: number
  readonly redriven: number
  /** What is wrong beside the counts: processes that ended by themselves, dead letters of no known cause. */
  readonly faults: readonly string[]
  /** Strikes that hardly ever met their moment, or were asked for and not made: the run proves too little. */
  readonly missed: readonly string[]
}

export const defaults = { workers: 3, lanes: 32 } as const
const warmMsMax = 60_000
const warmRunsMin = 200
const progressEveryMs = 2_000
const drainMsMaxDefault = 120_000
const publishers = 2
/** Of a lane between two events. Three workers of which one dies every other second handle little on two cores; with 50 ms
 *  (330 events a second) the last deliveries came more than two minutes after the end. */
const pauseMs = 400
/** Of the strikes of a kind, what has to meet its moment; one at least, where there were some. */
const metMin = 0.5

export async function crash(options: CrashOptions): Promise<CrashReport> {
  const links = Array.from({ length: options.workers }, () => new Link())
  const stage = new Stage({
    ...{
      workers: options.workers,
      publishers,
      lanesOfPublisher: Math.ceil(options.lanes / publishers),
      pauseMs,
    },
    ...(options.mutant === undefined ? {} : { mutant: plantedOf(options.mutant) }),
    through: (url) => Promise.all(links.map((link) => link.start(url))),
  })
  try {
    return await crashed(stage, links, options)
  } finally {
    for (const link of links) link.stop()
    await stage.clear()
  }
}

async function crashed(stage: Stage, links: readonly Link[], options: CrashOptions): Promise<CrashReport> {
  const beganAt = performance.now()
  await stage.set()
  const watch = new RecoveryWatch(stage.server, stage.schema)
  const redriver = new Redriver(stage.observer)
  const { crew, server, sink } = stage
  const killer = new Killer({ crew, links, server, sink, watch }, options.seed, options)
  const telling = setInterval(() => options.progress(toldOf(killer.strikes, stage)), progressEveryMs)
  try {
    watch.start()
    redriver.start()
    await until(
      'all workers are at work',
      warmMsMax,
      () => watch.holders === options.workers && sink.begun > warmRunsMin,
    )
    const strikesAt = performance.now()
    await killer.run()
    const strikeSeconds = (performance.now() - strikesAt) / 1_000
    watch.strikesOver()
    const faults = await stage.endPublishers()
    options.progress('no more strikes; draining')
    await redriver.stop()
    const drained = await drain(stage.observer, options.drainMsMax ?? drainMsMaxDefault, redriver)
    const recoveries = await watch.stop()
    await crew.ready().catch(() => {})
    faults.push(...(await stage.endWorkers()), ...crew.unexpected, ...drained.strange)
    return {
      ...{ seed: options.seed, seconds: (performance.now() - beganAt) / 1_000, strikeSeconds },
      ...{ ledger: await stage.audit(), recoveries, faults, strikes: killer.strikes },
      ...{ missed: missedBy(killer.strikes, options), drained: drained.drained, drainMs: drained.ms },
      ...{ quarantined: drained.quarantined, redriven: redriver.redriven },
    }
  } finally {
    clearInterval(telling)
    await Promise.all([watch.stop(), redriver.stop()])
  }
}

function toldOf(strikes: Strikes, stage: Stage): string {
  const counts = strikeKinds.map((kind) => `${kind} ${strikes[kind].struck}`).join(', ')
  return `${counts}; ${stage.sink.begun} handler runs, ${stage.crew.started} workers started`
}

function missedBy(strikes: Strikes, limits: StrikeLimits): string[] {
  const missed = strikeKinds.flatMap((kind) => {
    const { struck, met } = strikes[kind]
    const wanted = Math.max(1, Math.floor(struck * metMin))
    return struck === 0 || met >= wanted
      ? []
      : [`${kind}: ${met} of ${struck} met its moment, ${wanted} should`]
  })
  for (const kind of ['kill', 'postgres'] as const) {
    const wanted = kind === 'kill' ? limits.workerKillsMax : limits.postgresKillsMax
    if (Number.isFinite(wanted) && strikes[kind].struck < wanted)
      missed.push(`${kind}: ${strikes[kind].struck} of ${wanted} in ${limits.secondsMax} s`)
  }
  return missed
}
