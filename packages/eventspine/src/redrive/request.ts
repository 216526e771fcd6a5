// What an operator may ask of redrive and replay: checked at the border, defaults filled in.
import { EventspineError } from '../kernel/index.js'
import type { RedrivePort, RedriveRequest } from './port.js'

export const redriveDefaults = { rate: 50, canary: 10, stopAtErrorRate: 0.5, roundsMax: 3 } as const

export const redriveRateMax = 10_000
export const redriveCanaryMax = 10_000
export const redriveRoundsMax = 1_000
const textCharactersMax = 2_000
const nameCharactersMax = 500

const refused = (field: string, message: string) =>
  new EventspineError('REQUEST_INVALID', `${message}.`, { field: `/${field}` })

type CreateRequest = Parameters<RedrivePort['createRedrive']>[1]

/**
 * The request with its defaults. `editedData` is the JSON text of data that was validated before.
 * @throws REQUEST_INVALID naming the field.
 */
export function completeRedrive(request: RedriveRequest, editedData: string | null): CreateRequest {
  const { filter, actor, reason, idempotencyKey } = request
  if (typeof filter !== 'object' || filter === null)
    throw refused('filter', 'filter must be an object; {} means every dead letter')
  return {
    filter,
    rate: inRange('rate', request.rate ?? redriveDefaults.rate, 0.01, redriveRateMax),
    canary: whole('canary', request.canary ?? redriveDefaults.canary, 0, redriveCanaryMax),
    stopAtErrorRate: inRange(
      'stopAtErrorRate',
      request.stopAtErrorRate ?? redriveDefaults.stopAtErrorRate,
      0,
      1,
    ),
    roundsMax: checkRounds(request.roundsMax),
    actor: checkName('actor', actor),
    ...(reason !== undefined && { reason: checkText('reason', reason) }),
    ...(idempotencyKey !== undefined && { idempotencyKey: checkName('idempotencyKey', idempotencyKey) }),
    editedData,
  }
}

/** @throws REQUEST_INVALID */
export const checkRounds = (roundsMax: number | undefined) =>
  whole('roundsMax', roundsMax ?? redriveDefaults.roundsMax, 1, redriveRoundsMax)

function inRange(field: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value
  throw refused(field, `${field} must be a number from ${least} to ${most}`)
}

function whole(field: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw refused(field, `${field} must be a whole number from ${least} to ${most}`)
}

const controlCharacter = /\p{Cc}/u
const unstorable = /\0|\p{Surrogate}/u

/** A name that is kept in the audit. @throws REQUEST_INVALID when it is empty, too long or breaks a line. */
export function checkName(field: string, value: string): string {
  if (typeof value !== 'string' || value.trim() === '')
    throw refused(field, `${field} must not be empty: it is kept in the audit`)
  if (value.length > nameCharactersMax)
    throw refused(field, `${field} has ${value.length} characters; at most ${nameCharactersMax} are kept`)
  if (controlCharacter.test(value) || unstorable.test(value))
    throw refused(field, `${field} must not hold control characters`)
  return value
}

/** Why somebody does it, where they say so. @throws REQUEST_INVALID as `checkText`. */
export const checkReason = (reason: string | undefined) =>
  reason === undefined ? undefined : checkText('reason', reason)

/** A sentence that is kept in the audit. @throws REQUEST_INVALID when it is empty, too long or cannot be stored. */
export function checkText(field: string, value: string): string {
  if (typeof value !== 'string' || value.trim() === '')
    throw refused(field, `${field} must not be empty: it is kept in the audit`)
  if (value.length > textCharactersMax)
    throw refused(field, `${field} has ${value.length} characters; at most ${textCharactersMax} are kept`)
  if (unstorable.test(value)) throw refused(field, `${field} must not hold NUL or half a surrogate pair`)
  return value
}
