// The Content-Type header, and what can be read here. Everything is JSON in UTF-8.
import { Problem } from '../problem/problem.js'

export const structuredType = 'application/cloudevents+json'
export const batchType = 'application/cloudevents-batch+json'
export const jsonType = 'application/json'

const mediaTypeForm = /^[a-z0-9!#$&^_.+-]{1,100}\/[a-z0-9!#$&^_.+-]{1,100}$/
const jsonForm = /^(application|text)\/([a-z0-9!#$&^_.-]+\+)?json$/
const advice = `Send "${jsonType}" for {"type", "data"} or an array of them, "${structuredType}" for a CloudEvent, "${batchType}" for an array of CloudEvents.`

/** The media type in lower case. Throws CONTENT_TYPE_UNSUPPORTED when it has another charset than UTF-8 or is none. */
export function mediaType(header: string | undefined): string {
  const [type = '', ...parameters] = (header ?? '').toLowerCase().split(';')
  const name = type.trim()
  if (!mediaTypeForm.test(name))
    throw unsupported(`The Content-Type header is ${header === undefined ? 'missing' : 'broken'}`)
  for (const parameter of parameters) {
    const [key = '', value = ''] = parameter.split('=').map((part) => part.trim())
    if (key === 'charset' && !/^"?utf-?8"?$/.test(value))
      throw unsupported('Only UTF-8 is read, and the charset is another')
  }
  return name
}

/** Whether data of this media type is JSON. */
export const isJson = (type: string) => jsonForm.test(type)

export function unsupported(problem: string, field = '/headers/content-type'): Problem {
  return new Problem('CONTENT_TYPE_UNSUPPORTED', `${problem}. ${advice}`, {
    field,
    headers: { 'accept-post': `${jsonType}, ${structuredType}, ${batchType}` },
  })
}

/** Refused before a byte is read, so that nothing compressed is ever inflated. */
export function refuseEncoded(encoding: string | undefined): void {
  if (encoding === undefined || encoding.trim().toLowerCase() === 'identity') return
  throw new Problem(
    'CONTENT_ENCODING_UNSUPPORTED',
    'Bodies are read as they are. Send the body uncompressed, without a Content-Encoding header.',
    { field: '/headers/content-encoding', headers: { 'accept-encoding': 'identity' } },
  )
}
