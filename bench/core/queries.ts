// What people and the console ask of Eventspine, timed: the reading half of the question about history.
import type { Operator } from 'eventspine'
import { spineOf } from '../systems/eventspine.js'
import { handlerName } from '../systems/system.js'
import { monotonicMs } from './payload.js'
import type { QueryTimes, Task } from './protocol.js'
import { spreadOf } from './statistics.js'

export async function timeQueries({ place, part }: Task, repeats: number): Promise<QueryTimes> {
  const spine = spineOf(place, { ...part, works: false }, undefined)
  await spine.start()
  try {
    const operator = spine.operator()
    const asked = await questionsOf(operator)
    const times: Record<string, number> = {}
    for (const [name, ask] of Object.entries(asked)) times[name] = await medianMs(ask, repeats)
    return times
  } finally {
    await spine.stop()
  }
}

async function questionsOf(operator: Operator): Promise<Record<string, () => Promise<unknown>>> {
  const newest = (await operator.events({ limit: 1 })).items[0]
  const oldest = (await operator.events({ limit: 1, order: 'oldest' })).items[0]
  if (newest === undefined || oldest === undefined) throw new Error('The log is empty')
  return {
    'newest events': () => operator.events({ limit: 50 }),
    'newest of a type': () => operator.events({ limit: 50, type: newest.type }),
    'newest of a key': () => operator.events({ limit: 50, key: String(newest.key) }),
    'newest event with its deliveries': () => operator.event(newest.id),
    'oldest event with its deliveries': () => operator.event(oldest.id),
    'events of a correlation': () => operator.events({ limit: 50, correlationId: oldest.correlationId }),
    subscriptions: () => operator.subscriptions(),
    'dead letters': () => operator.deadLetters({ subscription: handlerName(0) }),
    doctor: () => operator.doctor(),
  }
}

async function medianMs(ask: () => Promise<unknown>, repeats: number): Promise<number> {
  await ask()
  const times: number[] = []
  for (let repeat = 0; repeat < repeats; repeat++) {
    const beganAtMs = monotonicMs()
    await ask()
    times.push(monotonicMs() - beganAtMs)
  }
  return spreadOf(times).median
}
