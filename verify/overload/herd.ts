// The target of a subscription goes away while events keep coming, and comes back: how hard the retries knock meanwhile,
// and how long it takes until every delivery is through.
import { startTemporaryPostgres } from '@eventspine/embedded'
import { openDeliveries, until } from './log.js'
import { rounded } from './statistics.js'
import { HttpSubject } from './subject.js'
import { System } from './system.js'

export interface HerdReport {
  readonly waiting: number
  readonly downSeconds: number
  readonly failedRetries: number
  /** What the budget allows in that time: its hundred tokens, and five a second. */
  readonly failedRetriesMax: number
  readonly homeSeconds: number | null
  readonly homePerSecond: number
  readonly violations: readonly string[]
}

const budgetTokens = 100
const budgetPerSecond = 5
const homeMsMax = 120_000
/** Of the events that come in a second, while and after the target is away. */
const eventsPerSecond = 400

export async function herd(seconds: number, say: (line: string) => void): Promise<HerdReport> {
  const postgres = await startTemporaryPostgres()
  const system = new System(postgres.url)
  try {
    const started = await system.start()
    const subject = new HttpSubject(started)
    system.tell({ kind: 'target', down: true })
    const downAt = performance.now()
    const load = await subject.pace(eventsPerSecond, seconds, 0)
    const all = load.acknowledged.length
    // The events that were acknowledged last have their first attempt behind them.
    await until(async () => (await openDeliveries(postgres.url)).rows >= all, homeMsMax)
    const { failedRetries } = await system.figures()
    const downSeconds = (performance.now() - downAt) / 1_000
    say(`herd: ${all} failed, ${failedRetries} retries failed in ${rounded(downSeconds)} s`)
    system.tell({ kind: 'target', down: false })
    const upAt = performance.now()
    const home = await until(async () => (await openDeliveries(postgres.url)).rows === 0, homeMsMax)
    const homeSeconds = (performance.now() - upAt) / 1_000
    const { letters } = await openDeliveries(postgres.url)
    const failedRetriesMax = Math.ceil(budgetTokens + downSeconds * budgetPerSecond)
    return {
      ...{ waiting: all, downSeconds: rounded(downSeconds), failedRetries, failedRetriesMax },
      homeSeconds: home ? rounded(homeSeconds) : null,
      homePerSecond: Math.round(all / homeSeconds),
      violations: [
        ...(all === 0 ? ['nothing was acknowledged'] : []),
        ...(failedRetries > failedRetriesMax
          ? [`${failedRetries} retries failed, not ${failedRetriesMax}`]
          : []),
        ...(home ? [] : [`not through after ${homeMsMax / 1_000} s`]),
        ...(letters > 0 ? [`${letters} dead letters`] : []),
      ],
    }
  } finally {
    await system.stop()
    await postgres.stop()
  }
}
