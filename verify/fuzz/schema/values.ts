// Values: harmless ones, and those that break programs. Texts go anywhere a text goes, numbers are JSON literals.
import type { Dice } from '../dice.js'

const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789-_.']

export function harmlessText(dice: Dice, charactersMin: number, charactersMax: number): string {
  const length = dice.between(
    charactersMin,
    Math.max(charactersMin, Math.min(charactersMax, charactersMin + 12)),
  )
  let text = ''
  for (let at = 0; at < length; at++) text += dice.pick(letters)
  return text
}

/** Any JSON, at most `depth` levels, that JSON.parse gives back as it is. */
export function jsonValue(dice: Dice, depth: number): unknown {
  const kind = dice.weighted({
    text: 3,
    number: 3,
    word: 2,
    list: depth > 0 ? 2 : 0,
    object: depth > 0 ? 4 : 0,
  })
  if (kind === 'text') return dice.chance(0.3) ? dice.pick(strangeTexts) : harmlessText(dice, 0, 20)
  if (kind === 'number') return dice.chance(0.5) ? dice.between(-1_000, 1_000) : dice.next() * 1e6
  if (kind === 'word') return dice.pick([true, false, null])
  if (kind === 'list') return Array.from({ length: dice.between(0, 4) }, () => jsonValue(dice, depth - 1))
  const names = Array.from({ length: dice.between(0, 4) }, () => harmlessText(dice, 1, 8))
  return Object.fromEntries(names.map((name) => [name, jsonValue(dice, depth - 1)]))
}

/** Well-formed texts that are legal in JSON, and that databases, shells, pages and terminals take amiss. */
export const strangeTexts: readonly string[] = [
  '',
  ' ',
  'ü',
  '日本語',
  '\u{1f600}\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
  '\u202eesrever',
  '\ufeff',
  '\ufffe\uffff',
  '\u200b',
  'e\u0301\u0301\u0301',
  "'; DROP TABLE eventspine.event; --",
  "' OR '1'='1",
  '$1 $$ $body$',
  '%s%n%x',
  '{{7*7}}${7*7}<%= 7*7 %>',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '`id`$(id)|id;id',
  '../../../../etc/passwd',
  '..\\..\\windows\\system32',
  'file:///etc/passwd',
  'http://169.254.169.254/latest/meta-data/',
  '\\x00\\0\\u0000',
  '%00%0d%0a',
  '%2e%2e%2f',
  '%25%32%65',
  '*',
  '**',
  '%',
  '_',
  '~',
  '/',
  '\\',
  '(((((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+$',
  'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!',
  'NaN',
  'null',
  'undefined',
  'true',
  '-0',
  '1e400',
  '0x10',
  '9007199254740993',
  '-1',
  '[object Object]',
  'constructor',
  'toString',
  'hasOwnProperty',
  'prototype',
  'main',
  'default',
  'acme',
  '2026-02-30T00:00:00Z',
  '0000-00-00T00:00:00Z',
  '9999-12-31T23:59:59.999999999Z',
  '1969-12-31T23:59:59-12:00',
  '+275760-09-13T00:00:00Z',
  '-000001-01-01T00:00:00Z',
  '0001-01-01T00:00:00Z',
  '00-00000000000000000000000000000000-0000000000000000-00',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
]

/** Texts with what no store keeps: control characters, half characters. */
export const brokenTexts: readonly string[] = [
  '\u0000',
  'a\u0000b',
  'a\r\nb',
  'line\nbreak',
  '\t',
  '\u001b[31mred',
  '\u007f',
  '\ud83d',
  '\ude00x',
  'a\udfff\ud800b',
]

/** JSON literals where a number stands: each is what it looks like in the text. */
export const strangeNumbers: readonly string[] = [
  '0',
  '-0',
  '-0.0',
  '1',
  '-1',
  '0.1',
  '1e0',
  '1E+2',
  '2147483647',
  '2147483648',
  '-2147483649',
  '4294967296',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '-9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '18446744073709551616',
  '1e308',
  '1e309',
  '1e400',
  '-1e400',
  '1e-400',
  '5e-324',
  '1.7976931348623157e308',
  '0.1e1',
  '123456789.123456789123456789',
  `1${'0'.repeat(400)}`,
  `0.${'0'.repeat(400)}1`,
  `1e${'9'.repeat(50)}`,
]

/** Not JSON, at the place of any value. */
export const brokenLiterals: readonly string[] = [
  'NaN',
  'Infinity',
  '-',
  '+1',
  '01',
  '1.',
  '.5',
  '0x10',
  '1_000',
  '1n',
  'undefined',
  'tru',
  'TRUE',
  "'a'",
  '"',
  '"\\x41"',
  '"\\u12"',
  '"a\tb"',
  '[1,]',
  '{"a":1,}',
  '{a:1}',
  '[1 2]',
  '/* */1',
  '1 1',
  ']',
  '}',
  '',
]
