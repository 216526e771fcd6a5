// Finding by name, with the nearest name when there is none such.
import { CommandError, exitCodes } from '../failure.js'
import type { LetterFlags } from '../input/letter-filter.js'
import { suggestion } from '../input/suggestion.js'
import type { Session } from './session.js'

/** Throws SUBSCRIPTION_UNKNOWN, with the nearest name, unless the app defines the subscription, or the database has
 *  anything of it: one that is gone from the code, or was removed, still has its dead letters. */
export async function requireSubscription(
  { operator, spine }: Session,
  name: string,
  field?: string,
): Promise<void> {
  const defined = spine.app.subscriptions.map((subscription) => subscription.name)
  if (defined.includes(name)) return
  const registered = (await operator.subscriptions()).map((subscription) => subscription.name)
  if (registered.includes(name)) return
  if ((await operator.deadLetters({ subscription: name, limit: 1 })).items.length > 0) return
  const hint = suggestion(name, [...new Set([...defined, ...registered])].sort())
  const message = `There is no subscription "${name}". ${hint}`
  const exitCode = exitCodes.notFound
  throw new CommandError('SUBSCRIPTION_UNKNOWN', message, { exitCode, ...(field !== undefined && { field }) })
}

/** The same for the subscription that a filter of dead letters names, if it does. */
export async function requireFiltered(session: Session, { subscription }: LetterFlags): Promise<void> {
  if (subscription !== undefined) await requireSubscription(session, subscription, '--subscription')
}

/** The error for what does not exist. */
export const notFound = (noun: string, name: string, hint: string) =>
  new CommandError('NOT_FOUND', `There is no ${noun} "${name}". ${hint}`, { exitCode: exitCodes.notFound })
