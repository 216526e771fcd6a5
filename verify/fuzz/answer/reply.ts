// Reads one answer from the bytes of a connection: HTTP/1.1 as it has to be, by a reader that is not Node's.

export interface Reply {
  readonly status: number
  /** By name in lower case; of several the last. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
}

export interface Reading {
  readonly reply: Reply
  /** Bytes of the connection that it took. */
  readonly bytes: number
  /** A stream whose end nobody waits for. */
  readonly open: boolean
}

const headEnd = Buffer.from('\r\n\r\n')
const statusForm = /^HTTP\/1\.1 (\d{3}) [ -~]*$/
const headerForm = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([ -~\t\u0080-\u00ff]*)$/

/** Bytes that no server may send. */
export class BrokenReply extends Error {
  override readonly name = 'BrokenReply'
}

/** The answer at the beginning of `bytes`; undefined while a part of it is missing. `ended`: nothing comes any more. */
export function readReply(bytes: Buffer, method: string, ended: boolean): Reading | undefined {
  const end = bytes.indexOf(headEnd)
  if (end < 0) return undefined
  const lines = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const status = Number(statusForm.exec(lines[0] ?? '')?.[1])
  if (Number.isNaN(status)) throw new BrokenReply(`no status line: ${lines[0]?.slice(0, 100)}`)
  const from = end + headEnd.length
  if (status >= 100 && status < 200) {
    const next = readReply(bytes.subarray(from), method, ended)
    return next === undefined ? undefined : { ...next, bytes: from + next.bytes }
  }
  const headers = headersOf(lines.slice(1))
  const whole = (body: Buffer, length: number, open = false) => ({
    reply: { status, headers, body },
    bytes: from + length,
    open,
  })
  if (method === 'HEAD' || status === 204 || status === 304) return whole(Buffer.alloc(0), 0)
  const rest = bytes.subarray(from)
  if (headers.get('content-type')?.startsWith('text/event-stream')) return whole(rest, rest.length, true)
  const length = headers.get('content-length')
  if (length !== undefined) {
    const size = Number(length)
    return rest.length < size ? undefined : whole(rest.subarray(0, size), size)
  }
  if (headers.get('transfer-encoding') === 'chunked') {
    const chunks = chunked(rest)
    return chunks === undefined ? undefined : whole(chunks.body, chunks.length)
  }
  return ended ? whole(rest, rest.length) : undefined
}

function headersOf(lines: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name, value] = headerForm.exec(line) ?? []
    if (name === undefined || value === undefined)
      throw new BrokenReply(`a broken header: ${line.slice(0, 200)}`)
    headers.set(name.toLowerCase(), value)
  }
  return headers
}

function chunked(bytes: Buffer): { readonly body: Buffer; readonly length: number } | undefined {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16)
    if (Number.isNaN(size)) throw new BrokenReply('a chunk without a size')
    const from = lineEnd + 2
    if (bytes.length < from + size + 2) return undefined
    if (size === 0) return { body: Buffer.concat(parts), length: from + 2 }
    parts.push(bytes.subarray(from, from + size))
    at = from + size + 2
  }
}
