// Standard Webhooks 1.0, both ways: verifying what others sent, and signing for those who send. The key says by its prefix
// which signature it is for: `whsec_` HMAC-SHA256 (v1), `whsk_` and `whpk_` the halves of an ed25519 pair (v1a).
//   https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
import { createPrivateKey, createPublicKey, type KeyObject, sign, timingSafeEqual, verify } from 'node:crypto'
import {
  checkLength,
  checkTime,
  header,
  keysOf,
  type ReceivedRequest,
  refused,
  type SignatureOptions,
  signatureOf,
  signaturesMax,
  type Verified,
} from './signature.js'

type Key =
  | { readonly scheme: 'v1'; readonly secret: Buffer }
  | { readonly scheme: 'v1a'; readonly pair: KeyObject }

/** `webhook-id`, `webhook-timestamp` and `webhook-signature`. Secrets as senders show them: `whsec_`, with or without that
 *  before it, or their public key, `whpk_`. */
export function standardWebhooks(options: SignatureOptions): (request: ReceivedRequest) => Verified {
  const keys = keysOf(options, verifyingKey)
  return ({ headers, body, atMs }) => {
    const id = header(headers, 'webhook-id')
    const seconds = header(headers, 'webhook-timestamp')
    checkTime(seconds, atMs, options)
    const given = header(headers, 'webhook-signature').split(' ', signaturesMax).map(schemeAndBytes)
    const signed = contentOf(id, seconds, body)
    // All are compared, whichever fits: how long it takes says nothing.
    const fitting = keys.flatMap((key) => given.filter((each) => fits(key, signed, each)))
    if (fitting.length === 0) throw refused('no signature fits the body')
    return { id }
  }
}

/**
 * The headers that {@link standardWebhooks} verifies: for those who send. With several secrets (`whsec_`, with or without that before
 * it, or `whsk_`), a signature by each. Throws a TypeError for one that is none.
 */
export function signStandardWebhook(
  secrets: readonly string[],
  message: { readonly id: string; readonly atMs: number; readonly body: string | Uint8Array },
): Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const seconds = String(Math.floor(message.atMs / 1_000))
  const content = contentOf(message.id, seconds, message.body)
  const signatures = keysOf({ secrets }, signingKey).map(
    (key) => `${key.scheme},${signedBy(key, content).toString('base64')}`,
  )
  return {
    'webhook-id': message.id,
    'webhook-timestamp': seconds,
    'webhook-signature': signatures.join(' '),
  }
}

/** Bytes of a symmetric secret; undefined for the private key of a pair. Throws a TypeError for what is neither. */
export function secretBytes(secret: string): number | undefined {
  const key = signingKey(secret)
  return key.scheme === 'v1' ? key.secret.length : undefined
}

const contentOf = (id: string, seconds: string, body: string | Uint8Array) =>
  Buffer.concat([Buffer.from(`${id}.${seconds}.`), Buffer.from(body)])

const signedBy = (key: Key, content: Buffer) =>
  key.scheme === 'v1' ? signatureOf(key.secret, [content]) : sign(null, content, key.pair)

function schemeAndBytes(text: string) {
  const comma = text.indexOf(',')
  return { scheme: text.slice(0, comma), bytes: Buffer.from(text.slice(comma + 1), 'base64') }
}

function fits(key: Key, content: Buffer, { scheme, bytes }: ReturnType<typeof schemeAndBytes>): boolean {
  if (scheme !== key.scheme) return false
  if (key.scheme === 'v1a') return verify(null, content, key.pair, bytes)
  const own = signatureOf(key.secret, [content])
  return bytes.length === own.length && timingSafeEqual(bytes, own)
}

function verifyingKey(secret: string): Key {
  if (secret.startsWith('whsk_'))
    throw new TypeError('"whsk_" is the private key of who sends: verify with the public one, "whpk_".')
  if (!secret.startsWith('whpk_')) {
    const key = symmetric(secret)
    checkLength(key.secret)
    return key
  }
  const bytes = base64(secret.slice('whpk_'.length), 'whpk_')
  if (bytes.length !== keyBytes) throw new TypeError(`A public key "whpk_" has ${keyBytes} bytes.`)
  const key = Buffer.concat([spkiBefore, bytes])
  return { scheme: 'v1a', pair: createPublicKey({ key, format: 'der', type: 'spki' }) }
}

function signingKey(secret: string): Key {
  if (secret.startsWith('whpk_'))
    throw new TypeError('"whpk_" is the public key of who receives: sign with the private one, "whsk_".')
  if (!secret.startsWith('whsk_')) return symmetric(secret)
  const bytes = base64(secret.slice('whsk_'.length), 'whsk_')
  // Some write the public half behind it.
  if (bytes.length !== keyBytes && bytes.length !== 2 * keyBytes)
    throw new TypeError(`A private key "whsk_" has ${keyBytes} or ${2 * keyBytes} bytes.`)
  const key = Buffer.concat([pkcs8Before, bytes.subarray(0, keyBytes)])
  return { scheme: 'v1a', pair: createPrivateKey({ key, format: 'der', type: 'pkcs8' }) }
}

const symmetric = (secret: string): Extract<Key, { readonly scheme: 'v1' }> => ({
  scheme: 'v1',
  secret: base64(secret.startsWith('whsec_') ? secret.slice('whsec_'.length) : secret, 'whsec_'),
})

function base64(text: string, prefix: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  // Node passes over what is no base64, and a secret with a slip in it would be another one.
  if (bytes.length === 0 || bytes.toString('base64').replace(/=+$/, '') !== text.replace(/={1,2}$/, ''))
    throw new TypeError(`A secret of Standard Webhooks is base64, with or without "${prefix}" before it.`)
  return bytes
}

/** Of an ed25519 key, either half. What stands before it in DER says so (RFC 8410). */
const keyBytes = 32
const pkcs8Before = Buffer.from('302e020100300506032b657004220420', 'hex')
const spkiBefore = Buffer.from('302a300506032b6570032100', 'hex')
