// What is drawn as nothing is written out; what is drawn, in whatever script, stays as it was written.
import { visible } from 'eventspine/text'
import { expect, test } from 'vitest'

test.each([
  ['a space of no width', 'pay\u200bload', 'pay\\u200bload'],
  ['joiners between Latin letters', 'a\u200cb\u200dc', 'a\\u200cb\\u200dc'],
  ['a word joiner and a soft hyphen', 'in\u2060vo\u00adice', 'in\\u2060vo\\u00adice'],
  ['the byte order mark', '\ufeffkey', '\\ufeffkey'],
  ['what reverses the order of reading', 'x\u202egpj.exe', 'x\\u202egpj.exe'],
  ['a filler of Hangul in the place of a name', '\u3164', '\\u3164'],
  ['tags that nobody sees', 'hi\u{e0041}\u{e007f}', 'hi\\udb40\\udc41\\udb40\\udc7f'],
  ['tags behind a flag that is none', '🏴\u{e0061}\u{e007f}', '🏴\\udb40\\udc61\\udb40\\udc7f'],
  ['selectors behind a letter', 'a\ufe0f\u{e0101}', 'a\\ufe0f\\udb40\\udd01'],
  ['a second selector', '❤\ufe0f\ufe0f', '❤\ufe0f\\ufe0f'],
  ['a joiner behind an emoji', '🙂\u200d', '🙂\\u200d'],
  ['a second joiner in Persian', 'می\u200c\u200cخواهم', 'می\\u200c\\u200cخواهم'],
  ['a joiner at the end of a word', 'می\u200c', 'می\\u200c'],
  ['half of a character', '\ud83d!', '\\ud83d!'],
  ['controls', 'a\u0000\u001b[31m\u0085', 'a\\u0000\\u001b[31m\\u0085'],
])('%s', (_, text, shown) => {
  expect(visible(text)).toBe(shown)
  // In JSON it is the same to whoever parses it.
  if (!/[\n"]/.test(text)) expect(JSON.parse(`"${shown}"`)).toBe(text)
})

test.each([
  ['a family', '👨‍👩‍👧‍👦'],
  ['a rainbow flag, a heart on fire', '🏳️‍🌈 ❤️‍🔥'],
  ['a keycap and a flag of tags', '1️⃣ 🏴󠁧󠁢󠁳󠁣󠁴󠁿'],
  ['skin tones', '🧑🏽‍🚀'],
  ['a heart as text', '❤\ufe0e'],
  ['Persian', 'می‌خواهم'],
  ['Hindi', 'क्‍ष'],
  ['Sinhala', 'ශ්‍රී'],
  ['a Japanese name in its own form', '葛\u{e0100}城'],
  ['Mongolian', 'ᠠ\u180b'],
  ['accents, Arabic, Hebrew, Thai', 'Zürich e\u0301 مرحبا שלום สวัสดี'],
])('%s stays', (_, text) => expect(visible(text)).toBe(text))

test('breaks of lines stay where the one who asks has lines', () => {
  expect([visible('a\nb\tc'), visible('a\nb\u200bc', '\n')]).toEqual(['a\\u000ab\\u0009c', 'a\nb\\u200bc'])
})

test('of all of Unicode, what is drawn as nothing is written out by itself', () => {
  const nothing = /[\p{Cc}\p{Surrogate}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u
  const wrong: string[] = []
  for (let code = 0; code <= 0x10ffff; code++) {
    const sign = String.fromCodePoint(code)
    const isEscaped = visible(`x${sign}`).startsWith('x\\u')
    if (isEscaped !== (nothing.test(sign) || /[\ufff9-\ufffb]/.test(sign))) wrong.push(code.toString(16))
  }
  expect(wrong).toEqual([])
})
