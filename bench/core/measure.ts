// The measurements that several questions share.
import type { Part, SystemName } from '../systems/system.js'
import type { Sample } from './answer.js'
import type { Lab } from './lab.js'
import type { Run } from './run.js'
import type { Subject } from './subject.js'

/** One process publishes and handles at the same time, as fast as it can. Events per second until the last is handled. */
export async function throughputOf(lab: Lab, system: SystemName, part: Part): Promise<Sample> {
  return lab.run(system, part, async (run) => {
    const subject = await run.open(part)
    const warm = await run.warm(subject, [subject], part)
    const { sent, ...sample } = await floodOnce(lab, run, subject, part, lab.options.scale.seconds)
    await run.close(subject)
    await run.proveHistory(warm + sent, (warm + sent) * part.subscriptions)
    if (part.transactional) await run.proveWritten(warm + sent)
    return sample
  })
}

/** What a warm process reaches in so many seconds. */
export async function floodOnce(lab: Lab, run: Run, subject: Subject, part: Part, seconds: number) {
  const { sent, beganAtMs, publishedAtMs } = await run.flood(subject, lab.options.scale.eventsMax, seconds)
  const progress = await run.handled([subject], sent * part.subscriptions)
  const handledSeconds = (progress.lastAtMs - beganAtMs) / 1000
  return {
    sent,
    handled: sent / handledSeconds,
    published: sent / ((publishedAtMs - beganAtMs) / 1000),
    ...(part.subscriptions === 1 ? {} : { deliveries: (sent * part.subscriptions) / handledSeconds }),
    repeated: progress.repeated,
  }
}

/** Units of the two above. */
export const floodUnits = {
  handled: 'events/s',
  published: 'events/s',
  deliveries: 'deliveries/s',
  repeated: 'deliveries',
}

/** Open loop at this rate, from the intended moment of sending to the handler. `parts`: one process, or publisher and
 *  worker. */
export async function latencyOf(
  lab: Lab,
  system: SystemName,
  eventsPerSecond: number,
  parts: readonly [Part] | readonly [Part, Part],
): Promise<Sample> {
  const [first, second] = parts
  const whole = second === undefined ? first : { ...first, works: true }
  return lab.run(system, whole, async (run) => {
    const worker = second === undefined ? undefined : await run.open(second)
    const publisher = await run.open(first)
    const handling = worker ?? publisher
    const warm = await run.warm(publisher, [handling], first)
    const { sent, ...sample } = await paceOnce(
      lab,
      run,
      publisher,
      handling,
      eventsPerSecond,
      lab.options.scale.seconds,
    )
    for (const subject of [publisher, handling]) await run.close(subject)
    await run.proveHistory(warm + sent, warm + sent)
    return sample
  })
}

export async function paceOnce(
  lab: Lab,
  run: Run,
  publisher: Subject,
  worker: Subject,
  eventsPerSecond: number,
  seconds: number,
) {
  const { eventsMax } = lab.options.scale
  const { sent, late } = await run.pace(publisher, {
    eventsPerSecond,
    seconds,
    eventsMax,
    seed: lab.options.seed,
  })
  await run.handled([worker], sent)
  const { p50, p99, max } = await run.latencies(worker)
  return { sent, p50, p99, max, 'generator late p99': late.p99 }
}
