// One message of Web Push (RFC 8030), enciphered for its device (RFC 8291) and signed by VAPID (RFC 8292): what goes over the wire,
// and what the answer means for an alarm.
import { createHash } from 'node:crypto'
import { abortedAfter } from 'eventspine/source'
import webPush from 'web-push'
import type { Keys } from './keys.js'

export interface Phone {
  readonly endpoint: string
  readonly p256dh: string
  readonly auth: string
}

export interface PushAnswer {
  readonly status: number
  /** Milliseconds after which it wants to be asked again; 0 where it does not say. */
  readonly retryAfterMs: number
}

export type PushOutcome =
  | { readonly kind: 'handed-over' }
  | { readonly kind: 'gone' | 'refused' | 'later'; readonly detail: string; readonly retryAfterMs: number }

/** Whether phones may be told to send there. `*.` in front of a host stands for one name or more. */
export function isOfPushService(endpoint: string, origins: readonly string[]): boolean {
  if (!URL.canParse(endpoint)) return false
  const address = new URL(endpoint)
  // As browsers write it: what one reader takes for a host must not be a path to another.
  return address.href === endpoint && origins.some((allowed) => isWithin(address, allowed))
}

function isWithin({ origin, protocol, host, username, password }: URL, allowed: string): boolean {
  // Whoever is called must not be told a name and a password of ours.
  if (username !== '' || password !== '') return false
  const [scheme, suffix] = allowed.split('//*')
  if (suffix === undefined) return origin === allowed
  return protocol === scheme && host.endsWith(suffix) && !host.startsWith('.')
}

/** The push service keeps it for a device that is away; then somebody else has been told. */
const keptSeconds = 120
const topicCharacters = 32

/** Sends. Rejects with a TimeoutError where no answer comes within `answerMsMax`, and where nobody listens. */
export async function sendPush(
  { vapid }: Pick<Keys, 'vapid'>,
  { endpoint, p256dh, auth }: Phone,
  message: { readonly id: string; readonly subject: string; readonly body: unknown },
  { answerMsMax, signal }: { readonly answerMsMax: number; readonly signal: AbortSignal },
): Promise<PushAnswer> {
  const { headers, body } = webPush.generateRequestDetails(
    { endpoint, keys: { p256dh, auth } },
    JSON.stringify(message.body),
    {
      ...{ TTL: keptSeconds, urgency: 'high', contentEncoding: 'aes128gcm', topic: topicOf(message.id) },
      vapidDetails: { subject: message.subject, ...vapid },
    },
  )
  const { 'Content-Length': _, ...sent } = headers as Record<string, string | number>
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: Object.fromEntries(Object.entries(sent).map(([name, value]) => [name, String(value)])),
    body: new Uint8Array(body as Buffer),
    // A push service does not send its callers elsewhere.
    redirect: 'error',
    signal: abortedAfter(answerMsMax, signal),
  })
  await response.body?.cancel()
  return {
    status: response.status,
    retryAfterMs: retryAfterOf(response.headers.get('retry-after'), Date.now()),
  }
}

/** The same alarm replaces itself while it waits for its device. */
const topicOf = (id: string) => createHash('sha256').update(id).digest('base64url').slice(0, topicCharacters)

/** Seconds, or a date (RFC 9110, 10.2.3); 0 where it is neither. */
export function retryAfterOf(text: string | null, nowMs: number): number {
  if (text === null) return 0
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs
  return Number.isFinite(ms) && ms > 0 ? ms : 0
}

/** An alarm waits no longer for a device than this: another one is nearer. */
export const patienceMs = 20_000

export function outcomeOf({ status, retryAfterMs }: PushAnswer): PushOutcome {
  if (status >= 200 && status < 300) return { kind: 'handed-over' }
  const detail = `The push service answered ${status}`
  if (status === 404 || status === 410) return { kind: 'gone', detail, retryAfterMs }
  if (status === 429 || status >= 500) {
    if (retryAfterMs <= patienceMs) return { kind: 'later', detail, retryAfterMs }
    const seconds = Math.ceil(retryAfterMs / 1_000)
    return { kind: 'refused', detail: `${detail}, and wants to be asked in ${seconds} s`, retryAfterMs }
  }
  return { kind: 'refused', detail, retryAfterMs }
}
