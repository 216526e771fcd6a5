// What the answer of an endpoint means: through, to be tried again, or never to be taken.
import { type HandlerError, PermanentError, TransientError } from '../handle/index.js'
import type { Answer } from './post.js'

/** These pass, of all that say that the request is wrong. */
const passing = new Set([408, 409, 425, 429])
const shownCharactersMax = 200
const waitMsMax = 24 * 3_600_000

export type Judgement =
  | { readonly kind: 'taken' }
  /** `gone`: it wants no more of them. */
  | { readonly kind: 'refused'; readonly error: HandlerError; readonly gone: boolean }

export function judgementOf(endpoint: string, answer: Answer, nowMs: number): Judgement {
  const { status } = answer
  if (status >= 200 && status <= 299) return { kind: 'taken' }
  const said = answer.body === '' ? '' : `: "${shown(answer.body)}"`
  const outcome = `Endpoint "${shown(endpoint)}" answered ${status}`
  const message = `${outcome}${said}`
  // Where something has moved to is mostly its own address, secrets and all, and stands in the body, too.
  if (status >= 300 && status <= 399)
    return permanent(
      `${outcome}. It leads ${whereTo(answer.location)}, which is not followed: give it its final URL, then redrive`,
    )
  if (status >= 400 && status <= 499 && !passing.has(status)) return permanent(message, status === 410)
  const error = new TransientError(message, { retryAfterMs: waitMsOf(answer.retryAfter, nowMs) })
  return { kind: 'refused', error, gone: false }
}

/** Scheme and host at most. */
function whereTo(location = ''): string {
  if (location === '') return 'nowhere'
  if (!URL.canParse(location)) return 'to another path'
  const { protocol, host } = new URL(location)
  return `to ${shown(`${protocol}//${host}`)}`
}

const permanent = (message: string, gone = false): Judgement => ({
  kind: 'refused',
  error: new PermanentError(message),
  gone,
})

/** `Retry-After`: seconds, or a date of HTTP. At most a day; 0 for what is neither. */
function waitMsOf(retryAfter: string | undefined, nowMs: number): number {
  if (retryAfter === undefined) return 0
  const ms = /^\d{1,10}$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - nowMs
  return Number.isFinite(ms) ? Math.min(waitMsMax, Math.max(0, ms)) : 0
}

/** What strangers wrote, as far as it can stand in a message and between quotes. */
export const shown = (text: string) =>
  text
    .slice(0, shownCharactersMax)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}"]/gu, ' ')
    .trim()
