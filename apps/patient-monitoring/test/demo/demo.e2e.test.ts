// The demonstration runs: each chapter says its figures, and the alarms are those that the readings imply. It measures nothing here.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { brokerMissing } from './kills.js'

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

test('neighbours that fail and hang cost no alarm of today, and each chapter has its lines', {
  timeout,
}, async () => {
  const { code, said, figures } = await demo(
    '--tiny',
    '--json',
    '--only',
    'neighbours,behind,day,beds,ceiling',
  )
  expect(code, said).toBe(0)
  const phases = (chapter: string, shape: string) =>
    figures.filter((each) => each['chapter'] === chapter && each['shape'] === shape).map(({ phase }) => phase)
  for (const shape of ['today', 'first']) {
    expect(phases('neighbours', shape)).toEqual(['warm-up', 'well', 'failing', 'hanging', 'mended'])
    expect(phases('behind', shape)).toEqual(['warm-up', 'behind'])
  }
  const today = figures.filter(({ chapter, shape }) => chapter === 'neighbours' && shape === 'today')
  expect(today.reduce((sum, { alarms }) => sum + Number(alarms), 0)).toBeGreaterThan(10)
  expect(today.map(({ lost }) => lost)).toEqual([0, 0, 0, 0, 0])
  expect(figures.filter(({ chapter }) => chapter === 'day').map(({ name }) => name)).toEqual([
    'day',
    'burst',
    'after',
  ])
  expect(figures.filter(({ chapter }) => chapter === 'beds').length).toBe(1)
  expect(figures.filter(({ chapter }) => chapter === 'ceiling').length).toBeGreaterThan(0)
})

test.skipIf(brokerMissing !== undefined && process.env['CI'] === undefined)(
  'worker, broker and PostgreSQL killed: the alarms are those of the plain computation, each pushed',
  { timeout },
  async () => {
    const { code, said, figures } = await demo('--tiny', '--json', '--only', 'kills')
    expect(code, said).toBe(0)
    expect(figures).toMatchObject([{ kills: 3, missing: 0, wrong: 0, twice: 0, notPushed: 0 }])
  },
)

test('says what can be asked for', { timeout }, async () => {
  const { code, said } = await demo('--only', 'neighbors')
  expect(code).toBe(1)
  expect(said).toContain('--only takes neighbours, behind')
})
