// How a personal value lies in the log: enciphered by the key of its person, bound to its place. The same value at the
// same place is sealed the same, so that a repeat of an event is one; who has no key learns no more than that.
import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto'

export const keyBytes = 32
const ivBytes = 12
const tagBytes = 16
const prefix = 'eventspine:sealed:1:'

/** Of one person: both are made of the one that is kept. */
export interface SealingKey {
  readonly id: string
  readonly cipher: Uint8Array
  readonly iv: Uint8Array
}

export function sealingKeyOf(id: string, key: Uint8Array): SealingKey {
  const made = Buffer.from(hkdfSync('sha256', key, '', 'eventspine personal data', 2 * keyBytes))
  return { id, cipher: made.subarray(0, keyBytes), iv: made.subarray(keyBytes) }
}

/** `place`: where the value belongs. Opened elsewhere it is none. `json`: of the value. */
export function seal(key: SealingKey, place: string, json: string): string {
  return `${prefix}${key.id}:${encipher(key.cipher, ivOf(key.iv, place, json), place, json)}`
}

// AES-GCM forgives no repeated nonce under another text: this one is a function of the text (as in RFC 5297).
const ivOf = (key: Uint8Array, place: string, text: string) =>
  createHmac('sha256', key).update(`${place}\n`).update(text).digest().subarray(0, ivBytes)

/** Whether a JSON text holds something that looks sealed. */
export const looksSealed = (json: string) => json.includes(prefix)

/** Which key a value needs; undefined where it does not look sealed. */
export function keyIdOf(value: string): string | undefined {
  if (!value.startsWith(prefix)) return undefined
  const end = value.indexOf(':', prefix.length)
  return end < 0 ? undefined : value.slice(prefix.length, end)
}

/** The JSON of the value; undefined for what was not sealed by this key for this place: it is a text like any other. */
export function open(key: SealingKey, place: string, value: string): string | undefined {
  return decipher(key.cipher, place, value.slice(prefix.length + key.id.length + 1))
}

// ── the keys themselves, enciphered by a key that no database has ──

export interface MasterKey {
  readonly fingerprint: string
  readonly bytes: Uint8Array
}

export const masterKeyOf = (bytes: Uint8Array): MasterKey => ({
  bytes,
  fingerprint: createHash('sha256').update('eventspine master key').update(bytes).digest('hex').slice(0, 16),
})

export function wrap(master: MasterKey, id: string, key: Uint8Array): string {
  const text = Buffer.from(key).toString('base64url')
  return encipher(master.bytes, ivOf(master.bytes, id, text), id, text)
}

/** Undefined where it was wrapped by another, or tampered with. */
export function unwrap(master: MasterKey, id: string, wrapped: string): Uint8Array | undefined {
  const text = decipher(master.bytes, id, wrapped)
  return text === undefined ? undefined : Buffer.from(text, 'base64url')
}

function encipher(key: Uint8Array, iv: Uint8Array, place: string, text: string): string {
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(place))
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url')
}

function decipher(key: Uint8Array, place: string, text: string): string | undefined {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length < ivBytes + tagBytes) return undefined
  const opened = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), {
    authTagLength: tagBytes,
  })
  opened.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes))
  try {
    return Buffer.concat([opened.update(bytes.subarray(ivBytes + tagBytes)), opened.final()]).toString('utf8')
  } catch {
    return undefined
  }
}
