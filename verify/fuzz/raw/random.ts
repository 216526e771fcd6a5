// Whole requests with their heads broken at random: bytes flipped, put in, taken out. None of them can store anything.
import { Dice } from '../dice.js'
import type { RawCase, RawContext } from './cases.js'

const editsMax = 4
const pieces = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '%',
  '/',
  '\u00ff',
  '\u007f',
  'chunked',
  '0',
  '-',
  '\r\n\r\n',
]

export function randomRawCase(seed: number, index: number, context: RawContext): RawCase {
  const dice = new Dice(seed, -1 - index)
  const body = JSON.stringify({ type: 'tests.none', data: 'x'.repeat(dice.between(0, 30)) })
  const framing = dice.chance(0.5)
    ? `Content-Length: ${body.length}\r\n\r\n${body}`
    : `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  let text = `POST /v1/events HTTP/1.1\r\nHost: ${context.host}\r\nAuthorization: Bearer ${context.key}\r\nContent-Type: application/json\r\nConnection: close\r\n${framing}`
  for (let edits = dice.between(1, editsMax); edits > 0; edits--) text = edited(dice, text)
  // A head whose end is gone waits for more: the client leaves instead of waiting with it.
  const leaves = dice.chance(0.9)
  return { name: `random ${index}`, parts: [Buffer.from(text, 'latin1')], pauseMs: 0, may: [], leaves }
}

function edited(dice: Dice, text: string): string {
  const at = dice.between(0, text.length - 1)
  const kind = dice.weighted({ flip: 3, put: 4, take: 3, twice: 1 })
  const [before, behind] = [text.slice(0, at), text.slice(at)]
  if (kind === 'flip')
    return before + String.fromCharCode(behind.charCodeAt(0) ^ (1 << dice.between(0, 7))) + behind.slice(1)
  if (kind === 'put') return before + dice.pick(pieces) + behind
  if (kind === 'take') return before + behind.slice(dice.between(1, 5))
  return before + behind.slice(0, 20) + behind
}
