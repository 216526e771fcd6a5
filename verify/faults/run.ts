// One scenario: the system works, is harmed, heals by itself, is drained and judged.
import { setTimeout as delay } from 'node:timers/promises'
import { drain } from '../crash/drain.js'
import { until } from '../crash/engine.js'
import type { Ledger } from '../crash/ledger.js'
import { wrongsOf } from '../crash/report.js'
import { Stage } from '../crash/stage.js'
import { LinkProxy } from './proxy.js'
import type { Ground, Scenario } from './scenario.js'

export interface FaultReport {
  readonly name: string
  /** Why it was not run. */
  readonly skipped?: string
  readonly met: string
  readonly seconds: number
  /** From the end of the fault until every subscription has recorded something new. */
  readonly recoveryMs: number
  readonly ledger?: Ledger
  readonly drained: boolean
  /** MiB of the process that took most. */
  readonly memoryMax: number
  readonly faults: readonly string[]
}

const workers = 2
const publishers = 1
const lanesOfPublisher = 6
const pauseMs = 25
const warmRunsMin = 200
const warmMsMax = 30_000
const afterwardsSeconds = 2
const recoveryMsMax = 60_000
const answerMsMax = 30_000
const drainMsMax = 90_000
const memoryMebibytesMax = 400

export async function run(scenario: Scenario, scale: number): Promise<FaultReport> {
  const beganAt = performance.now()
  const disk = scenario.disk?.()
  if (disk?.missing !== undefined) return skipped(scenario, disk.missing)
  const links = Array.from({ length: workers + publishers }, () => new LinkProxy())
  const stage = new Stage({
    ...{ workers, publishers, lanesOfPublisher, pauseMs },
    ...(disk === undefined ? {} : { data: disk.data }),
    ...(scenario.environment === undefined ? {} : { environment: scenario.environment }),
    through: (url) => Promise.all(links.map((link) => link.start(url))),
  })
  try {
    await stage.set()
    const ran = await harmed(scenario, { stage, links, scale })
    return { ...ran, name: scenario.name, seconds: (performance.now() - beganAt) / 1_000 }
  } finally {
    for (const link of links) link.stop()
    await stage.clear()
    disk?.remove()
  }
}

const skipped = ({ name }: Scenario, why: string): FaultReport => ({
  ...{ name, skipped: why, met: '', seconds: 0, recoveryMs: 0, drained: true, memoryMax: 0, faults: [] },
})

type Ran = Omit<FaultReport, 'name' | 'seconds' | 'skipped'>

async function harmed(
  scenario: Scenario,
  { stage, links, scale }: Pick<Ground, 'stage' | 'links' | 'scale'>,
): Promise<Ran> {
  const faults: string[] = []
  await until('the handlers are at work', warmMsMax, () => stage.sink.begun > warmRunsMin)
  const before = await recorded(stage)
  const met = await scenario.harm({
    ...{ stage, links, scale, workers: links.slice(0, workers), publisher: links[workers] as LinkProxy },
    wait: (seconds) => delay(seconds * scale * 1_000),
  })
  const healedAt = performance.now()
  if (scenario.goesOn) faults.push(...standing(await recorded(stage), before))
  await recovered(stage).catch((error) => faults.push(String(error)))
  const recoveryMs = performance.now() - healedAt
  await delay(afterwardsSeconds * 1_000)
  const programs = [...stage.crew.members.map(({ program }) => program), ...stage.publishers]
  const memoryMax = Math.round(Math.max(...programs.map(({ memory }) => memory?.highest ?? 0)))
  if (memoryMax > memoryMebibytesMax) faults.push(`${memoryMax} MiB of memory`)
  faults.push(...(await stage.endPublishers()))
  const drained = await drain(stage.observer, drainMsMax)
  if (stage.crew.started > workers) faults.push(`${stage.crew.started - workers} workers had to be restarted`)
  faults.push(...(await stage.endWorkers()), ...stage.crew.unexpected, ...drained.strange)
  const ledger = await stage.audit()
  const { unanswered, slowestMs } = ledger.journal
  if (unanswered > 0) faults.push(`${unanswered} publishes were never answered`)
  if (slowestMs > answerMsMax) faults.push(`a publish was answered after ${slowestMs} ms`)
  return { met, recoveryMs, ledger, drained: drained.drained, memoryMax, faults }
}

type Recorded = ReadonlyMap<string, number>

/** Subscription → deliveries that it has completed. */
async function recorded(stage: Stage): Promise<Recorded> {
  const rows = await stage.server.sql<{ name: string; completed: number }>(
    `SELECT subscription AS name, sum(completed)::float8 AS completed FROM ${stage.schema}.consumer GROUP BY 1`,
  )
  return new Map(rows.map(({ name, completed }) => [name, completed]))
}

const standing = (now: Recorded, before: Recorded) =>
  [...before]
    .filter(([name, completed]) => (now.get(name) ?? 0) <= completed)
    .map(([name, completed]) => `${name} stood still at ${completed}`)

async function recovered(stage: Stage): Promise<void> {
  const first = await until('the database answers', recoveryMsMax, () =>
    recorded(stage).catch(() => undefined),
  )
  await until('every subscription records again', recoveryMsMax, async () => {
    const now = await recorded(stage).catch(() => undefined)
    return now !== undefined && standing(now, first).length === 0
  })
}

/** Everything that must not be, added up. */
export function violationsOf({ ledger, faults, drained }: FaultReport): number {
  const wrong = ledger === undefined ? faults.length : wrongsOf({ ledger, faults, drained })
  return wrong + (drained ? 0 : 1)
}
