// The one error of the guard: what is wrong, where, and what to send instead. Never carries more than a little of the
// payload, and no control characters, so that it may be logged and sent back.

const pathCharactersMax = 300
const pointerEscapes: ReadonlyMap<string, string> = new Map([
  ['~', '~0'],
  ['/', '~1'],
])

/** What is wrong with a JSON text or value. */
export type JsonErrorCode =
  | 'JSON_INVALID'
  | 'JSON_ENCODING'
  | 'JSON_DEPTH'
  | 'JSON_KEYS'
  | 'JSON_STRING'
  | 'JSON_SIZE'
  | 'JSON_NUL'
  | 'JSON_SURROGATE'
  | 'JSON_PROTO'
  | 'JSON_DUPLICATE_KEY'
  | 'JSON_NUMBER'
  | 'JSON_TYPE'
  | 'JSON_CYCLE'

/** Where the fault is: keys and indexes from the outside in, and the position in the text, as far as they are known. */
export interface JsonPlace {
  readonly path?: readonly (string | number)[]
  readonly offset?: number
  readonly cause?: unknown
}

/** JSON that is refused, with what to do about it in its message. */
export class JsonError extends Error {
  override readonly name = 'JsonError'
  readonly code: JsonErrorCode
  /** JSON Pointer to the value (RFC 6901), shortened when very long; empty for the whole; undefined where not known. */
  readonly path: string | undefined
  /** UTF-16 units before the fault in the text, or bytes for JSON_ENCODING; undefined where not known. */
  readonly offset: number | undefined

  constructor(code: JsonErrorCode, problem: string, place: JsonPlace = {}) {
    const path = place.path && pointer(place.path)
    const at = path === undefined || path === '' ? '' : ` at ${path}`
    const position = place.offset === undefined ? '' : ` (offset ${place.offset})`
    super(
      `The JSON${at}${position} ${problem}`,
      place.cause === undefined ? undefined : { cause: place.cause },
    )
    this.code = code
    this.path = path
    this.offset = place.offset
  }
}

function pointer(path: readonly (string | number)[]): string {
  let text = ''
  for (const step of path) {
    text += `/${String(step)
      .slice(0, pathCharactersMax)
      .replaceAll(/[~/]/g, (sign) => pointerEscapes.get(sign) ?? sign)}`
    if (text.length > pathCharactersMax) return visible(`${text.slice(0, pathCharactersMax)}…`)
  }
  return visible(text)
}

/** Control characters, line separators and halves of surrogate pairs as escapes: they break log lines and encoders. */
function visible(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Surrogate}\u2028\u2029]/gu,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
