// One tenant sends ten times of what goes through; another one sends a little, to the same subscription: what becomes of
// the quiet one.
import { startTemporaryPostgres } from '@eventspine/embedded'
import { until } from './log.js'
import { percentile, rounded } from './statistics.js'
import { HttpSubject } from './subject.js'
import { System } from './system.js'
import { Trickle } from './trickle.js'

export interface NoisyReport {
  readonly capacityPerSecond: number
  readonly offeredTimes: number
  readonly noisyShedShare: number
  readonly quietAcknowledged: number
  readonly quietRefused: number
  readonly quietHandled: number
  /** From the intended moment of the quiet tenant to its handler. */
  readonly quietMs50: number
  readonly quietMs99: number
  readonly violations: readonly string[]
}

const capacitySeconds = 3
const overloadTimes = 10
const handledMsMax = 60_000
/** Of the quiet tenant's requests, so many may be refused: it waits in one line of requests with the noisy one. */
const quietRefusedShareMax = 0.01

export async function noisy(seconds: number, say: (line: string) => void): Promise<NoisyReport> {
  const postgres = await startTemporaryPostgres()
  const system = new System(postgres.url)
  try {
    const started = await system.start()
    const subject = new HttpSubject(started)
    const flooded = await subject.flood(capacitySeconds, 0)
    const capacity = flooded.acknowledged.length / flooded.seconds
    const quiet = new Trickle(started.url, started.quietKey, 'ward.timed')
    quiet.start()
    const load = await subject.pace(Math.floor(capacity * overloadTimes), seconds, flooded.offered)
    await quiet.stop()
    const timedMs: number[] = []
    await until(async () => {
      timedMs.push(...(await system.figures()).timedMs)
      return timedMs.length >= quiet.acknowledged
    }, handledMsMax)
    const { acknowledged, refused } = quiet
    say(`noisy: the quiet tenant had ${acknowledged} acknowledged, ${refused} refused`)
    return {
      capacityPerSecond: Math.round(capacity),
      offeredTimes: rounded(load.offered / load.seconds / capacity),
      noisyShedShare: Math.round((1_000 * load.shed) / load.offered) / 1_000,
      ...{ quietAcknowledged: acknowledged, quietRefused: refused, quietHandled: timedMs.length },
      quietMs50: rounded(percentile(timedMs, 0.5)),
      quietMs99: rounded(percentile(timedMs, 0.99)),
      violations: [
        ...(load.shed === 0 ? ['nothing of the noisy tenant was shed: the overload was none'] : []),
        ...(timedMs.length < acknowledged ? [`${acknowledged - timedMs.length} were not handled`] : []),
        ...(refused > (acknowledged + refused) * quietRefusedShareMax
          ? [`${refused} of the quiet tenant's ${acknowledged + refused} were refused`]
          : []),
      ],
    }
  } finally {
    await system.stop()
    await postgres.stop()
  }
}
