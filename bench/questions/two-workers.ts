// What does a second worker process add where handlers, not the machine, are the limit: 5 ms of awaited work each, 20
// at once in each process? Target: at least 1.5 times one worker.
import { alternate, atLeast, medianOf, type Question, ratio, type Sample } from '../core/answer.js'
import type { Lab } from '../core/lab.js'
import { type Run, wholePart } from '../core/run.js'
import type { Subject } from '../core/subject.js'

const question = 'two-workers'
const part = { ...wholePart, handlerMs: 5, handlersMax: 20, shards: 4 }
/** What one worker does in a second at most. */
const perSecond = (part.handlersMax * 1000) / part.handlerMs
const sharedTriesMax = 200

export const twoWorkers: Question = {
  name: question,
  title: 'Two workers against one, 5 ms of awaited work each',
  async measure(lab) {
    const contestants = [1, 2].map((workers) => ({
      system: workers === 1 ? 'eventspine one worker' : 'eventspine two workers',
      run: () => share(lab, workers),
    }))
    const figures = await alternate(
      lab,
      question,
      { handled: 'events/s', 'least busy worker': '%' },
      contestants,
    )
    const handled = (system: string) => medianOf(figures, system, 'handled')
    const gain = ratio(handled('eventspine two workers'), handled('eventspine one worker'))
    const { handlerMs, handlersMax, shards } = part
    return {
      figures,
      verdicts: [atLeast(question, '>= 1.5x one worker', gain, 1.5)],
      settings: { handlerMs, handlersMax, shards },
    }
  },
}

async function share(lab: Lab, count: number): Promise<Sample> {
  const { seconds, eventsMax } = lab.options.scale
  return lab.run('eventspine', part, async (run) => {
    const workers: Subject[] = []
    for (let index = 0; index < count; index++) workers.push(await run.open({ ...part, publishes: false }))
    const publisher = await run.open({ ...part, works: false })
    const before = await untilAllWork(run, publisher, workers)
    const { sent } = await run.flood(publisher, Math.min(eventsMax, perSecond * seconds * count), 600, false)
    const { firstAtMs, lastAtMs } = await run.handled(workers, sent)
    const each = await Promise.all(workers.map((worker) => worker.call('progress')))
    for (const subject of [publisher, ...workers]) await run.close(subject)
    await run.proveHistory(before + sent, before + sent)
    return {
      handled: sent / ((lastAtMs - firstAtMs) / 1000),
      'least busy worker': (100 * Math.min(...each.map(({ handled }) => handled))) / sent,
    }
  })
}

// A worker that comes takes over shards from the one that holds them all: measuring begins when all have some.
async function untilAllWork(run: Run, publisher: Subject, workers: readonly Subject[]): Promise<number> {
  let sent = 0
  for (let tries = 0; tries < sharedTriesMax; tries++) {
    sent += (await run.flood(publisher, 200, 60, false)).sent
    await run.handled(workers, sent)
    const each = await Promise.all(workers.map((worker) => worker.call('progress')))
    if (each.every(({ handled }) => handled > 0)) {
      for (const worker of workers) await worker.call('forget')
      return sent
    }
  }
  throw new Error('The second worker never got a shard')
}
