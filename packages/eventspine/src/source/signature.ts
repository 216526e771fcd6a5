// Who sent this webhook? Signatures over the raw body, compared in constant time. Each takes several secrets, so that one can
// be replaced while both live. What each sender signs is said by
//   Stripe  https://docs.stripe.com/webhooks#verify-manually
//   GitHub  https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { EventspineError, unknownOptions } from '../kernel/index.js'

/** A request as it came. */
export interface ReceivedRequest {
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
  /** When it came, in milliseconds since 1970. */
  readonly atMs: number
}

/** Who signed it is known. */
export interface Verified {
  /** The sender's id of the message, the same for each time that it is sent. Undefined where it has none. */
  readonly id: string | undefined
}

/** Throws for what its sender did not sign, or signed too long ago; it may be asynchronous. What is no `Verified` takes nothing. */
export type Verifier = (request: ReceivedRequest) => Verified | Promise<Verified>

export interface SignatureOptions {
  /** At least one of 16 bytes or more; the first that fits counts. */
  readonly secrets: readonly string[]
  /** How far the time of a signature may lie from now, either way; 1 to 86,400,000, a day. Default 300,000. */
  readonly toleranceMs?: number
}

const toleranceMsDefault = 300_000
const toleranceMsMost = 86_400_000
/** What is shorter can be tried out by whoever has seen one message. */
const secretBytesMin = 16
/** A header may name several signatures; nobody needs more. */
export const signaturesMax = 20

/** `stripe-signature`. The id is that of the event in the body, read once it is known who wrote it. */
export function stripeSignature(options: SignatureOptions): (request: ReceivedRequest) => Verified {
  const keys = keysOf(options, textKey)
  return ({ headers, body, atMs }) => {
    const parts = header(headers, 'stripe-signature').split(',', signaturesMax)
    const valuesOf = (name: string) =>
      parts.flatMap((part) =>
        part.trim().startsWith(`${name}=`) ? [part.trim().slice(name.length + 1)] : [],
      )
    const [seconds = ''] = valuesOf('t')
    checkTime(seconds, atMs, options)
    const given = valuesOf('v1').map((each) => Buffer.from(each, 'hex'))
    checkSignature(keys, [`${seconds}.`, body], given)
    return { id: idOf(body) }
  }
}

/** Of the event itself: what customers write into it may hold others. */
function idOf(body: Uint8Array): string | undefined {
  try {
    const { id } = JSON.parse(new TextDecoder().decode(body)) as { readonly id?: unknown }
    return typeof id === 'string' ? id : undefined
  } catch {
    return undefined
  }
}

/**
 * `x-hub-signature-256`. GitHub signs no time and no id, so the id is made of the body that it signs: the same body is the same
 * message, whenever and by whomever it is sent again.
 */
export function githubSignature(
  options: Pick<SignatureOptions, 'secrets'>,
): (request: ReceivedRequest) => Verified {
  const keys = keysOf(options, textKey, ['secrets'])
  return ({ headers, body }) => {
    const given = header(headers, 'x-hub-signature-256')
    if (!given.startsWith('sha256='))
      throw refused('the header "x-hub-signature-256" does not begin with "sha256="')
    checkSignature(keys, [body], [Buffer.from(given.slice('sha256='.length), 'hex')])
    return { id: createHash('sha256').update(body).digest('hex') }
  }
}

function textKey(secret: string): Buffer {
  const key = Buffer.from(secret)
  checkLength(key)
  return key
}

export function checkLength(key: Buffer): void {
  if (key.length < secretBytesMin)
    throw new TypeError(
      `A secret has ${key.length} bytes, and can be guessed; take one of at least ${secretBytesMin}.`,
    )
}

/** Wrong ones are said where the app is defined, and not by the first request. */
export function keysOf<Key>(
  options: SignatureOptions,
  keyOf: (secret: string) => Key,
  known: readonly string[] = ['secrets', 'toleranceMs'],
): readonly Key[] {
  // A window that is misspelt would be that of the default.
  unknownOptions(options, known, '', (message) => {
    throw new TypeError(`${message}.`)
  })
  const { secrets, toleranceMs = toleranceMsDefault } = options
  if (!(toleranceMs >= 1 && toleranceMs <= toleranceMsMost))
    throw new TypeError(
      `toleranceMs is ${toleranceMs}; write milliseconds from 1 to ${toleranceMsMost.toLocaleString('en')}, such as 300_000`,
    )
  if (!Array.isArray(secrets) || secrets.length === 0)
    throw new TypeError('"secrets" must name at least one; write secrets: [process.env.WEBHOOK_SECRET]')
  return secrets.map((secret: unknown) => {
    if (typeof secret !== 'string' || secret === '')
      throw new TypeError('A secret is missing or empty: is its environment variable set?')
    if (secret.trim() !== secret)
      throw new TypeError('A secret begins or ends with white space: was a line end copied with it?')
    return keyOf(secret)
  })
}

export const signatureOf = (key: Buffer, parts: readonly (string | Uint8Array)[]) =>
  parts.reduce((mac, part) => mac.update(part), createHmac('sha256', key)).digest()

// All are compared, whichever fits: how long it takes says nothing.
function checkSignature(
  keys: readonly Buffer[],
  signed: readonly (string | Uint8Array)[],
  given: readonly Buffer[],
): void {
  let fits = false
  for (const key of keys) {
    const own = signatureOf(key, signed)
    for (const each of given) if (each.length === own.length && timingSafeEqual(each, own)) fits = true
  }
  if (!fits) throw refused('no signature fits the body')
}

export function checkTime(
  seconds: string,
  atMs: number,
  { toleranceMs = toleranceMsDefault }: SignatureOptions,
): void {
  if (!/^\d{1,12}$/.test(seconds)) throw refused('its time is not in seconds since 1970')
  const awayMs = Math.abs(Number(seconds) * 1_000 - atMs)
  if (awayMs > toleranceMs) throw refused(`it was signed ${Math.round(awayMs / 1_000)} s away from now`)
}

export function header(headers: ReceivedRequest['headers'], name: string): string {
  const value = headers[name]
  if (value === undefined || value === '') throw refused(`the header "${name}" is missing`)
  return value
}

export const refused = (why: string) =>
  new EventspineError('SIGNATURE_INVALID', `The signature of this message is not valid: ${why}.`)
