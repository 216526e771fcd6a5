// Finding by name, with the nearest name when there is none such.
import type { Operator } from 'eventspine'
import { CommandError, exitCodes } from '../failure.js'
import { suggestion } from '../input/suggestion.js'

/** Throws NOT_FOUND, with the nearest name, unless the cell knows the subscription. */
export async function requireSubscription(operator: Operator, name: string): Promise<void> {
  const known = (await operator.subscriptions()).map((subscription) => subscription.name)
  if (!known.includes(name)) throw notFound('subscription', name, suggestion(name, known))
}

/** The error for what does not exist. */
export const notFound = (noun: string, name: string, hint: string) =>
  new CommandError('NOT_FOUND', `There is no ${noun} "${name}". ${hint}`, { exitCode: exitCodes.notFound })
