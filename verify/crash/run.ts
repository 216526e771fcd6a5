// One run: set the stage, publish and strike, heal, drain, judge.
import { LinkProxy } from '../faults/proxy.js'
import { drain } from './drain.js'
import { Killer, type StrikeLimits, type Strikes, strikeKinds } from './killer.js'
import type { Ledger } from './ledger.js'
import { type Recoveries, RecoveryWatch } from './recovery.js'
import { Stage } from './stage.js'

export interface CrashOptions extends StrikeLimits {
  readonly seed: number
  readonly workers: number
  /** Added to the environment of the processes: a planted bug. */
  readonly environment?: NodeJS.ProcessEnv
  readonly drainMsMax?: number
  /** Called every second or so with what has happened. */
  readonly progress: (line: string) => void
}

export interface CrashReport {
  readonly seed: number
  readonly seconds: number
  readonly strikes: Strikes
  readonly ledger: Ledger
  readonly recoveries: Recoveries
  readonly drained: boolean
  readonly drainMs: number
  readonly quarantined: number
  /** What is wrong beside the counts: processes that ended by themselves, dead letters of no known cause. */
  readonly faults: readonly string[]
  /** Strikes that hardly ever met a running handler, or were asked for and not made: the run proves too little. */
  readonly missed: readonly string[]
}

const progressEveryMs = 2_000
const drainMsMaxDefault = 90_000
const publishers = 2
const lanesOfPublisher = 8
const pauseMs = 40
/** Of the strikes of a kind, what has to hit running handlers; one at least, where there were some. */
const duringHandlersMin = 0.1

export async function crash(options: CrashOptions): Promise<CrashReport> {
  const beganAt = performance.now()
  const { workers, environment = {}, progress } = options
  const links = Array.from({ length: workers }, () => new LinkProxy())
  const stage = new Stage({
    ...{ workers, publishers, lanesOfPublisher, pauseMs, environment },
    through: (url) => Promise.all(links.map((link) => link.start(url))),
  })
  try {
    await stage.set()
    const watch = new RecoveryWatch(stage.server, stage.schema)
    watch.start()
    const killer = new Killer(
      { crew: stage.crew, links, server: stage.server, sink: stage.sink, watch },
      options.seed,
      options,
    )
    const telling = setInterval(() => progress(toldOf(killer.strikes, stage)), progressEveryMs)
    await killer.run().finally(() => clearInterval(telling))
    const faults = await stage.endPublishers()
    progress('no more strikes; draining')
    const drained = await drain(stage.observer, options.drainMsMax ?? drainMsMaxDefault)
    const recoveries = await watch.stop()
    await stage.crew.ready().catch(() => {})
    faults.push(...(await stage.endWorkers()), ...stage.crew.unexpected, ...drained.strange)
    const ledger = await stage.audit()
    return {
      ...{ seed: options.seed, seconds: (performance.now() - beganAt) / 1_000, ledger, recoveries, faults },
      ...{ strikes: killer.strikes, missed: missedBy(killer.strikes, options) },
      ...{ drained: drained.drained, drainMs: drained.ms, quarantined: drained.quarantined },
    }
  } finally {
    for (const link of links) link.stop()
    await stage.clear()
  }
}

function toldOf(strikes: Strikes, stage: Stage): string {
  const counts = strikeKinds.map((kind) => `${kind} ${strikes[kind].struck}`).join(', ')
  return `${counts}; ${stage.sink.begun} handler runs, ${stage.crew.started} workers started`
}

function missedBy(strikes: Strikes, limits: StrikeLimits): string[] {
  const missed = strikeKinds.flatMap((kind) => {
    const { struck, duringHandlers } = strikes[kind]
    const wanted = Math.max(1, Math.floor(struck * duringHandlersMin))
    if (struck === 0 || duringHandlers >= wanted) return []
    return [`${kind}: ${duringHandlers} of ${struck} met a running handler, ${wanted} should`]
  })
  for (const kind of ['kill', 'postgres'] as const) {
    const wanted = kind === 'kill' ? limits.workerKillsMax : limits.postgresKillsMax
    if (Number.isFinite(wanted) && strikes[kind].struck < wanted)
      missed.push(`${kind}: ${strikes[kind].struck} of ${wanted} in ${limits.secondsMax} s`)
  }
  return missed
}
