// The demonstration runs, and says its figures. It measures nothing here: what its chapters show needs a machine of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('main.ts', import.meta.url))
const timeout = 600_000

async function demo(...parameters: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=source', program, ...parameters], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [lines, said] = ['', '']
  child.stdout.on('data', (text) => {
    lines += text
  })
  child.stderr.on('data', (text) => {
    said += text
  })
  const [code] = (await once(child, 'close')) as [number]
  const figures = lines
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  return { code, said, figures }
}

test('a chapter says its figures: of the admission of its beds, and of the paces behind it', {
  timeout,
}, async () => {
  const { code, said, figures } = await demo('--tiny', '--json', '--only', 'day,beds')
  expect(code, said).toBe(0)
  expect(figures.map(({ chapter, name }) => [chapter, name])).toEqual([
    ...['admission', 'day', 'burst', 'after'].map((name) => ['day', name]),
    ...['admission', 'beds'].map((name) => ['beds', name]),
  ])
  expect(figures.filter(({ name }) => name === 'admission').map(({ alarms }) => alarms)).not.toContain(0)
  expect(figures.filter(({ lost }) => lost !== 0)).toEqual([])
})

test('says what can be asked for', { timeout }, async () => {
  const { code, said } = await demo('--only', 'neighbors')
  expect(code).toBe(1)
  expect(said).toContain('--only takes neighbours, behind')
})
