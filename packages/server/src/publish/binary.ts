// CloudEvents in binary mode: attributes in ce-* headers, data in the body.
import type { IncomingMessage } from 'node:http'
import { malformed } from './incoming.js'

const prefix = 'ce-'

/** Whether attributes come in headers. */
export function isBinary(request: IncomingMessage): boolean {
  return Object.keys(request.headers).some((name) => name.startsWith(prefix))
}

/** The attributes of the ce-* headers, decoded (HTTP protocol binding 1.0.2, 3.1.3.2). */
export function headerAttributes(request: IncomingMessage): Map<string, unknown> {
  const attributes = new Map<string, unknown>()
  const { rawHeaders } = request
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const header = (rawHeaders[at] ?? '').toLowerCase()
    if (!header.startsWith(prefix)) continue
    const name = header.slice(prefix.length)
    if (attributes.has(name)) throw fault(name, 'stands in more than one header; send it once')
    // Data and its type have places of their own in this mode: as headers they would be smuggled past them.
    if (name === 'data' || name === 'data_base64' || name === 'datacontenttype')
      throw fault(name, 'is no header in binary mode: data is the body, its type the Content-Type header')
    attributes.set(name, decoded(name, rawHeaders[at + 1] ?? ''))
  }
  return attributes
}

function decoded(name: string, value: string): string {
  const plain = /^".*"$/.test(value) ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value
  if (!/^[ -~]*$/.test(plain))
    throw fault(name, 'has characters beyond ASCII in its header; percent-encode their UTF-8 bytes')
  try {
    return decodeURIComponent(plain)
  } catch {
    throw fault(name, 'has a broken percent-encoding in its header; write "%" itself as "%25"')
  }
}

const fault = (name: string, message: string) =>
  malformed('CLOUDEVENT_INVALID', [{ field: `/${name.slice(0, 60)}`, message }])
