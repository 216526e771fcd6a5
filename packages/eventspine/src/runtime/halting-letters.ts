// Dead letters that halt an instance of a workflow, of whatever app of this log: without its letter nobody would move it on.
import { EventspineError } from '../kernel/index.js'
import type { DeadLetterFilter } from '../redrive/port.js'
import type { Store } from '../store/store.js'
import { isStimulus, workflowOf } from '../workflow/index.js'

/** Throws REQUEST_INVALID where one of these letters halts an instance. */
export async function refuseHalting(
  store: Pick<Store, 'subscriptions' | 'deadLetters'>,
  filter: DeadLetterFilter,
): Promise<void> {
  for (const { name, on } of await store.subscriptions()) {
    const moves = on.find(isStimulus)
    if (moves === undefined || (filter.subscription ?? name) !== name) continue
    const letters = await store.deadLetters({ ...filter, subscription: name, state: 'dead', limit: 1 })
    const [letter] = letters.items
    if (letter === undefined) continue
    const instance = `${workflowOf(moves)} '${letter.event.key}'`
    throw new EventspineError(
      'REQUEST_INVALID',
      `Dead letter ${letter.id} halts an instance of a workflow, and nobody would move it on without it. End the instance: eventspine workflows cancel ${instance}, or terminate. Mended, it goes on: workflows retry ${instance}.`,
      { field: '/filter' },
    )
  }
}
