// How large JSON may be, and the one measure of size: bytes of UTF-8, which is what is stored and sent.

/** Limits for one JSON text or value; each is the largest that is still accepted. */
export interface JsonLimits {
  /** The whole text, in bytes of UTF-8. */
  readonly sizeBytesMax: number
  /** Objects and lists within one another; `[]` is one level. */
  readonly depthLevelsMax: number
  /** Keys in one object. */
  readonly objectKeysMax: number
  /** One string or key, in bytes of UTF-8, escapes resolved. As large as the whole unless it is given. */
  readonly stringBytesMax: number
  /** Of what is written: undefined in a list becomes null, as JSON.stringify has it. Else it is refused. */
  readonly holesAreNull?: boolean
}

/** 256 KiB, also for one string, 64 levels, 1,000 keys in an object. */
export const jsonLimitsDefault: JsonLimits = Object.freeze({
  sizeBytesMax: 256 * 1024,
  depthLevelsMax: 64,
  objectKeysMax: 1_000,
  stringBytesMax: 256 * 1024,
})

/** The default limits with the given ones in their place. A string may fill the whole: memory is bounded by that. */
export function limitsWith(limits: Partial<JsonLimits> | undefined): JsonLimits {
  if (limits === undefined) return jsonLimitsDefault
  const { sizeBytesMax = jsonLimitsDefault.sizeBytesMax } = limits
  return { ...jsonLimitsDefault, stringBytesMax: sizeBytesMax, ...limits }
}

/** One UTF-16 unit takes one to three bytes of UTF-8, so most texts are judged by their length alone. */
export const unitBytesMax = 3

/** Whether a text takes at most so many bytes of UTF-8. */
export function fitsBytes(text: string, bytesMax: number): boolean {
  if (text.length * unitBytesMax <= bytesMax) return true
  return text.length <= bytesMax && Buffer.byteLength(text) <= bytesMax
}
