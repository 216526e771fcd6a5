// One pass over a JSON text that checks its grammar and every limit before anything is built from it.
// It keeps its own stack, so depth costs no call stack, and it touches each character once, so time is linear.
// The path and the words of an error are made only when there is one.
import { JsonError, type JsonErrorCode } from './error.js'
import { fitsBytes, type JsonLimits, unitBytesMax } from './limits.js'
import { numberEnd, numberFault } from './number.js'
import { plainStringEnd, type StringFault, scanString } from './string.js'

// Beyond this many keys a set is faster than looking through the list.
const listedKeysMax = 16

/** One open object or list, and where in it the scan is. */
interface Frame {
  readonly isObject: boolean
  readonly ofConstructor: boolean
  readonly keys: string[]
  keySet: Set<string> | undefined
  /** The key whose value is being read; undefined in a list, and while a key itself is being read. */
  key: string | undefined
  index: number
}

const stringFaults: Readonly<Record<StringFault, readonly [JsonErrorCode, string]>> = {
  unterminated: ['JSON_INVALID', 'ends inside a string; close it with a quote'],
  control: ['JSON_INVALID', 'holds a raw control character in a string; escape it, as \\n or \\u001f'],
  escape: ['JSON_INVALID', 'holds a backslash that escapes nothing; write \\\\ for a backslash itself'],
  nul: ['JSON_NUL', 'holds the character U+0000, which no database text can store; remove it'],
  surrogate: [
    'JSON_SURROGATE',
    'holds half of a surrogate pair, which is no character; send the whole character or remove it',
  ],
}

/**
 * Refuses a text that is not JSON or breaks a promise of the guard.
 * @throws JsonError
 */
export function scanJson(text: string, limits: JsonLimits): void {
  new Scan(text, limits).run()
}

class Scan {
  readonly #text: string
  readonly #limits: JsonLimits
  readonly #frames: Frame[] = []
  #frame: Frame | undefined
  #at = 0

  constructor(text: string, limits: JsonLimits) {
    this.#text = text
    this.#limits = limits
  }

  run(): void {
    let expectsValue = true
    while (expectsValue) {
      const opened = this.#value()
      expectsValue = opened || this.#afterValue()
    }
    if (this.#at < this.#text.length) this.#fail('JSON_INVALID', 'goes on after its end; send one value only')
  }

  /** Reads a scalar or an empty container, or opens one; true when a value must follow. */
  #value(): boolean {
    const code = this.#skipSpace()
    if (code === 34) this.#string()
    else if (code === 123) return this.#open(true, 125)
    else if (code === 91) return this.#open(false, 93)
    else if (code === 45 || (code >= 48 && code <= 57)) this.#number()
    else if (code === 116) this.#literal('true')
    else if (code === 102) this.#literal('false')
    else if (code === 110) this.#literal('null')
    else this.#unexpected('a value: a string in double quotes, a number, true, false, null, {…} or […]')
    return false
  }

  /** After a value: closes what ends here; true when another value must follow. */
  #afterValue(): boolean {
    for (;;) {
      const code = this.#skipSpace()
      const frame = this.#frame
      if (frame === undefined) return false
      if (code === 44) {
        this.#at += 1
        frame.index += 1
        if (frame.isObject) this.#key(frame)
        return true
      }
      if (code !== (frame.isObject ? 125 : 93)) this.#unexpected(frame.isObject ? '"," or "}"' : '"," or "]"')
      this.#at += 1
      this.#frames.pop()
      this.#frame = this.#frames[this.#frames.length - 1]
    }
  }

  #open(isObject: boolean, close: number): boolean {
    const { depthLevelsMax } = this.#limits
    if (this.#frames.length >= depthLevelsMax) {
      this.#fail('JSON_DEPTH', `is nested deeper than ${depthLevelsMax} levels; flatten it`)
    }
    this.#at += 1
    if (this.#skipSpace() === close) {
      this.#at += 1
      return false
    }
    const ofConstructor = this.#frame?.key === 'constructor'
    const frame: Frame = { isObject, ofConstructor, keys: [], keySet: undefined, key: undefined, index: 0 }
    this.#frames.push(frame)
    this.#frame = frame
    if (isObject) this.#key(frame)
    return true
  }

  #key(frame: Frame): void {
    frame.key = undefined
    if (this.#skipSpace() !== 34) this.#unexpected('a key in double quotes')
    const start = this.#at
    const isPlain = this.#string()
    const raw = this.#text.slice(start + 1, this.#at - 1)
    const key = isPlain ? raw : (JSON.parse(`"${raw}"`) as string)
    frame.key = key
    if (hasKey(frame, key))
      this.#fail('JSON_DUPLICATE_KEY', 'stands twice in one object; send each key once', start)
    if (key === '__proto__' || (key === 'prototype' && frame.ofConstructor)) {
      this.#fail('JSON_PROTO', 'is a key that changes prototypes when it is copied; rename it', start)
    }
    const { objectKeysMax } = this.#limits
    if (frame.keys.length > objectKeysMax) {
      frame.key = undefined
      this.#fail(
        'JSON_KEYS',
        `has more than ${objectKeysMax} keys in one object; send a list of entries instead`,
        start,
      )
    }
    if (this.#skipSpace() !== 58) this.#unexpected('":" after the key')
    this.#at += 1
  }

  /** Reads a string, quotes included; true when it has neither escapes nor surrogates, so that it reads as it stands. */
  #string(): boolean {
    const start = this.#at + 1
    const plain = plainStringEnd(this.#text, start)
    const end = plain >= 0 ? plain : this.#stringEnd(~plain)
    this.#at = end + 1
    const { stringBytesMax } = this.#limits
    if ((end - start) * unitBytesMax > stringBytesMax && !this.#fits(start, end, plain >= 0)) {
      this.#fail(
        'JSON_STRING',
        `holds a string of more than ${stringBytesMax} bytes; keep it elsewhere and send a reference`,
        start - 1,
      )
    }
    return plain >= 0
  }

  #stringEnd(from: number): number {
    const { at, fault } = scanString(this.#text, from)
    if (fault !== undefined) this.#fail(...stringFaults[fault], at)
    return at
  }

  #fits(start: number, end: number, isPlain: boolean): boolean {
    const raw = this.#text.slice(start, end)
    return fitsBytes(isPlain ? raw : (JSON.parse(`"${raw}"`) as string), this.#limits.stringBytesMax)
  }

  #number(): void {
    const end = numberEnd(this.#text, this.#at)
    if (end < 0) this.#fail('JSON_INVALID', 'holds a malformed number; write digits as 10, -0.5 or 1e3')
    const fault = numberFault(this.#text, this.#at, end)
    if (fault !== undefined) this.#fail('JSON_NUMBER', fault)
    this.#at = end
  }

  #literal(word: string): void {
    if (!this.#text.startsWith(word, this.#at)) this.#unexpected(word)
    this.#at += word.length
  }

  /** Moves to the next character that is no space and returns its code, NaN at the end. */
  #skipSpace(): number {
    let code = this.#text.charCodeAt(this.#at)
    while (code === 32 || code === 10 || code === 13 || code === 9) {
      this.#at += 1
      code = this.#text.charCodeAt(this.#at)
    }
    return code
  }

  #unexpected(expected: string): never {
    if (this.#at >= this.#text.length) {
      this.#fail('JSON_INVALID', `ends where ${expected} should stand; send all of it`)
    }
    const found = JSON.stringify(String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0))
    return this.#fail('JSON_INVALID', `has ${found} where ${expected} should stand`)
  }

  #fail(code: JsonErrorCode, problem: string, offset = this.#at): never {
    const path: (string | number)[] = []
    for (const frame of this.#frames) {
      if (!frame.isObject) path.push(frame.index)
      else if (frame.key !== undefined) path.push(frame.key)
    }
    throw new JsonError(code, problem, { path, offset })
  }
}

/** Whether the object already has the key; adds it when it has not. */
function hasKey(frame: Frame, key: string): boolean {
  if (frame.keySet?.has(key) ?? frame.keys.includes(key)) return true
  frame.keys.push(key)
  if (frame.keySet !== undefined) frame.keySet.add(key)
  else if (frame.keys.length > listedKeysMax) frame.keySet = new Set(frame.keys)
  return false
}
