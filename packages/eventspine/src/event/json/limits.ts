// How large JSON may be, and the one measure of size: bytes of UTF-8, which is what is stored and sent.

/** Limits for one JSON text or value; each is the largest that is still accepted. */
export interface JsonLimits {
  /** The whole text, in bytes of UTF-8. */
  readonly sizeBytesMax: number
  /** Objects and lists within one another; `[]` is one level. */
  readonly depthLevelsMax: number
  /** Keys in one object. */
  readonly objectKeysMax: number
  /** One string or key, in bytes of UTF-8, escapes resolved. */
  readonly stringBytesMax: number
}

/** 256 KiB, 64 levels, 1,000 keys in an object, strings of 128 KiB. */
export const jsonLimitsDefault: JsonLimits = Object.freeze({
  sizeBytesMax: 256 * 1024,
  depthLevelsMax: 64,
  objectKeysMax: 1_000,
  stringBytesMax: 128 * 1024,
})

/** The default limits with the given ones in their place. */
export function limitsWith(limits: Partial<JsonLimits> | undefined): JsonLimits {
  return limits === undefined ? jsonLimitsDefault : { ...jsonLimitsDefault, ...limits }
}

/** One UTF-16 unit takes one to three bytes of UTF-8, so most texts are judged by their length alone. */
export const unitBytesMax = 3

/** Whether a text takes at most so many bytes of UTF-8. */
export function fitsBytes(text: string, bytesMax: number): boolean {
  if (text.length * unitBytesMax <= bytesMax) return true
  return text.length <= bytesMax && Buffer.byteLength(text) <= bytesMax
}
