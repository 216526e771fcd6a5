import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { shellWord } from './shell.js'

test('a shell reads the text as it is', () => {
  for (const text of ['ep-1', '', "it's", '$(date) `date` "x" \\ ; & | *', "''", 'two\nlines', '--force'])
    expect(execFileSync('sh', ['-c', `printf %s ${shellWord(text)}`], { encoding: 'utf8' })).toBe(text)
})
