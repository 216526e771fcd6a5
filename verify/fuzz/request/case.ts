// One request of the campaign: what is sent, byte by byte, and what is known of the answer beforehand.
import type { Operation } from '../openapi.js'

export type Header = readonly [name: string, value: string]

/** `accepted`: the document allows it. `refused`: the document, or its credential, forbids it. */
export type Expectation = 'accepted' | 'refused' | undefined

export interface Case {
  readonly index: number
  /** What was done to it, for people. */
  readonly says: string
  /** Undefined when it does not reach a route of the document, or may not. */
  readonly operation: Operation | undefined
  readonly method: string
  readonly target: string
  readonly headers: readonly Header[]
  readonly body: Buffer | undefined
  readonly expectation: Expectation
  /** The only tenant that the answer may tell of. */
  readonly tenant: string | undefined
}

/** The request under which its index is in the server's log and in the list of stalls. */
export const requestIdOf = (index: number) => `fuzz-${index}`

/** The bytes on the wire. */
export function bytesOf({ method, target, headers, body }: Case): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines}\r\n`, 'latin1')
  if (body === undefined) return head
  const chunked = headers.some(([name]) => name === 'transfer-encoding')
  return Buffer.concat([head, chunked ? inChunks(body) : body])
}

function inChunks(body: Buffer): Buffer {
  const half = Math.ceil(body.length / 2)
  const parts = [body.subarray(0, half), body.subarray(half)].filter((part) => part.length > 0)
  const chunks = parts.flatMap((part) => [Buffer.from(`${part.length.toString(16)}\r\n`), part, crlf])
  return Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')])
}

const crlf = Buffer.from('\r\n')
