// `eventspine/text` as docs/guides/sources.md shows it.
import { readFileSync } from 'node:fs'
import { visible } from 'eventspine/text'
import { expect, test } from 'vitest'

// guide: begin
const lineFor = (order: string, note: string) => `${visible(order)}: ${visible(note, '\n\t')}`
// guide: end

test('what would hide or turn around is written out, and what is only foreign stays', () => {
  expect(lineFor('invoice\u202egpj.exe', 'a\u200b\tb\u001b[31m')).toBe(
    'invoice\\u202egpj.exe: a\\u200b\tb\\u001b[31m',
  )
  expect(lineFor('\u{1f468}\u200d\u{1f469}\u200d\u{1f467}', 'می\u200cخواهم')).toBe(
    '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}: می\u200cخواهم',
  )
})

test('the guide shows it as it runs here', () => {
  const own = readFileSync(new URL('./visible-text.test.ts', import.meta.url), 'utf8')
  const [, example = ''] = /guide: begin\n(.*)\n\/\/ guide: end/s.exec(own) ?? []
  expect(example).toContain('visible(')
  const guide = readFileSync(new URL('../../../docs/guides/sources.md', import.meta.url), 'utf8')
  expect(guide).toContain(`\`\`\`ts\n${example}\n\`\`\``)
})
