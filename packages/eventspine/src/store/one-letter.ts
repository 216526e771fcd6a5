// What every store asks of a redrive with new data.
import { EventspineError } from '../kernel/index.js'
import type { DeadLetterFilter } from '../redrive/port.js'

interface Edit {
  readonly filter: DeadLetterFilter
  readonly roundsMax: number
}

/**
 * New data are for one letter that nobody else took. Thrown in the transaction that selects, so that nothing stays of what is refused: no
 * redrive that sends nothing, and no act in the audit. Throws LETTER_CHANGED for none, REQUEST_INVALID for several.
 */
export function requireOneLetter({ filter, roundsMax }: Edit, selected: number): void {
  if (selected === 1) return
  if (selected > 1) {
    const message = `Edited data is for one dead letter, and the filter selects ${selected}. Name it by its id.`
    throw new EventspineError('REQUEST_INVALID', message, { field: '/data' })
  }
  const message = `Dead letter ${filter.ids?.[0]} was sent again or discarded since you looked at it, or redriven ${roundsMax} times before. Nothing was sent, stored or overwritten: look at it anew.`
  throw new EventspineError('LETTER_CHANGED', message, { field: '/filter/round' })
}
