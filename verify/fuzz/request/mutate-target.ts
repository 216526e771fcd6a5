// Request targets: query parameters that lie or repeat, and paths that climb, double, or end elsewhere.
import type { Dice } from '../dice.js'
import { brokenTexts, strangeTexts } from '../schema/values.js'

export type QueryPair = readonly [name: string, value: string]

/** Percent-encoded, half characters and all. */
export const encoded = (text: string) => encodeURIComponent(text.toWellFormed())

export const queryText = (pairs: readonly QueryPair[]) =>
  pairs.length === 0 ? '' : `?${pairs.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&')}`

export interface MutatedQuery {
  readonly text: string
  readonly says: string
  /** No route takes it. */
  readonly refused: boolean
}

const strayNames = [
  'tenant_id',
  'sql',
  'limit[]',
  'cursor[$ne]',
  '__proto__',
  'constructor',
  'x',
  'Limit',
  '__proto__[a]',
]
const numbers = [
  '0',
  '-1',
  '501',
  '1e9',
  '1.5',
  'NaN',
  '',
  ' ',
  '0x10',
  '9'.repeat(400),
  '5e-324',
  'true',
  '١',
]

export function mutatedQuery(
  dice: Dice,
  pairs: readonly QueryPair[],
  names: readonly string[],
): MutatedQuery {
  const kind = dice.weighted({ stray: 3, twice: 2, value: 8, number: 3, raw: 3, long: 1 })
  const name = names.length === 0 ? 'x' : dice.pick(names)
  const others = pairs.filter(([other]) => other !== name)
  const one = (value: string, says: string) => ({
    text: queryText([...others, [name, value]]),
    says: `${name}: ${says}`,
    refused: names.length === 0,
  })
  switch (kind) {
    case 'stray': {
      const stray = dice.pick(strayNames)
      return { text: queryText([...pairs, [stray, '1']]), says: `stray ${stray}`, refused: true }
    }
    case 'twice':
      return { text: queryText([...others, [name, 'a'], [name, 'b']]), says: `${name} twice`, refused: true }
    case 'value':
      return one(dice.pick(dice.chance(0.3) ? brokenTexts : strangeTexts), 'a strange text')
    case 'number':
      return one(dice.pick(numbers), 'a strange number')
    case 'long':
      return one('x'.repeat(dice.pick([101, 501, 2_001, 7_000])), 'a long text')
    case 'raw':
      return { text: dice.pick(rawQueries(name)), says: 'a raw query', refused: false }
  }
}

const rawQueries = (name: string) => [
  `?${name}`,
  `?${name}=%`,
  `?${name}=%zz`,
  `?${name}=%c0%af`,
  `?${name}=%ff`,
  `?${name}=%00`,
  `?${name}=%ed%a0%80`,
  `?${name}=a+b;c=d`,
  `?${name}=a#fragment`,
  `?=${name}`,
  '?&&&&',
  '???',
  `?${'a=b&'.repeat(1_200)}`,
  `?${name}=\u00e4`,
]

const segments = [
  '..',
  '.',
  '%2e%2e',
  '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '%00',
  '%',
  '%zz',
  '%ff',
  '%25',
  '%2F',
  '%5c..%5c',
  ';jsessionid=1',
  '__proto__',
  'constructor',
  '*',
  ':id',
  '{id}',
  'x'.repeat(3_001),
  'x'.repeat(9_000),
  '~',
  '%F0%9F%98%80',
]

/** Another path, near the one given. */
export function mutatedPath(dice: Dice, path: string): { readonly path: string; readonly says: string } {
  const kind = dice.weighted({
    segment: 6,
    behind: 3,
    doubled: 2,
    capitals: 1,
    slash: 1,
    absolute: 1,
    whole: 2,
  })
  const parts = path.split('/')
  if (kind === 'segment') {
    const at = dice.between(1, Math.max(1, parts.length - 1))
    return {
      path: parts.map((part, index) => (index === at ? dice.pick(segments) : part)).join('/'),
      says: 'a strange segment',
    }
  }
  if (kind === 'behind') return { path: `${path}/${dice.pick(segments)}`, says: 'a segment too many' }
  if (kind === 'doubled') return { path: path.replaceAll('/', '//'), says: 'double slashes' }
  if (kind === 'capitals') return { path: path.toUpperCase(), says: 'capitals' }
  if (kind === 'slash') return { path: `${path}/`, says: 'a slash at its end' }
  if (kind === 'absolute') return { path: `http://evil.example${path}`, says: 'an absolute target' }
  return {
    path: dice.pick(['*', '/.env', '/.git/config', '/admin', '/v2/events', '/v1', '//', '/%', '/?', '/#']),
    says: 'elsewhere',
  }
}
