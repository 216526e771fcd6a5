// One worker process, one subscription with events that end it, and neighbours with a steady flow of theirs: those go
// on between and across the deaths, and what is guilty ends as dead letters (I19).
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Eventspine, type Operator } from 'eventspine'
import { afterEach, expect, it, vi } from 'vitest'
import { ownDatabase, Run } from './command.js'
import { alarm, app, type harms, reading } from './supervision-poison.app.js'

const appFile = fileURLToPath(new URL('./supervision-poison.app.ts', import.meta.url))
const alarmEveryMs = 100
const healthy = 30
const poison: readonly (keyof typeof harms)[] = ['ends', 'blocks', 'runs out of memory']
/** Each takes two to be suspected, if another has not brought it under suspicion, and two alone. */
const deathsMax = 4 * poison.length
const cleanups: (() => Promise<unknown> | void)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function scene() {
  const database = await ownDatabase()
  cleanups.push(() => database.drop())
  const folder = mkdtempSync(join(tmpdir(), 'eventspine-ward-'))
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'done')
  writeFileSync(file, '')
  const spine = new Eventspine(app, { databaseUrl: database.url, work: false })
  cleanups.push(() => spine.stop())
  await spine.start()
  const run = new Run(['start', '--no-api', '--app', appFile, '--json'], {
    // The heap is small, so that running out of it does not take the machine along.
    environment: { DATABASE_URL: database.url, WARD_FILE: file, NODE_OPTIONS: '--max-old-space-size=160' },
    folder,
  })
  cleanups.push(() => run.kill())
  await run.record(({ message }) => message === 'ready')
  return { spine, run, handled: () => handledIn(file) }
}

interface Handled {
  readonly name: string
  readonly n: number
  readonly pid: number
  readonly at: number
}

function handledIn(file: string): Handled[] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.map((line) => {
    const [name = '', ...numbers] = line.split(' ')
    const [n = 0, pid = 0, at = 0] = numbers.map(Number)
    return { name, n, pid, at }
  })
}

/** Alarms at a steady pace. Answers how to end them, and how many there were. */
function flowOfAlarms(spine: Eventspine): () => Promise<number> {
  const published: Promise<unknown>[] = []
  const timer = setInterval(() => published.push(spine.publish(alarm, { n: published.length })), alarmEveryMs)
  cleanups.push(() => clearInterval(timer))
  return async () => {
    clearInterval(timer)
    return (await Promise.all(published)).length
  }
}

const readings = Array.from({ length: healthy + poison.length }, (_, n) => {
  const harm = n % 10 === 5 ? poison[(n - 5) / 10] : undefined
  return { event: reading, data: harm === undefined ? { n } : { n, harm } }
})

const reached = (operator: Operator, counts: Readonly<Record<string, { completed: number; dead: number }>>) =>
  vi.waitFor(
    async () => {
      for (const { name, completed, dead, retrying } of await operator.subscriptions())
        if (counts[name] !== undefined)
          expect({ name, completed, dead, retrying }).toEqual({ name, ...counts[name], retrying: 0 })
    },
    { timeout: 90_000, interval: 100 },
  )

/** The longest time without a sign of life of this subscription. */
function standstillMs(handled: readonly Handled[], name: string): number {
  const moments = handled.filter((each) => each.name === name).map(({ at }) => at)
  return Math.max(...moments.slice(1).map((at, index) => at - (moments[index] ?? at)))
}

it('goes on with the neighbours of events that end the process', { timeout: 120_000 }, async () => {
  const { spine, run, handled } = await scene()
  const operator = spine.operator()
  const endAlarms = flowOfAlarms(spine)
  await spine.publishMany(readings)
  await reached(operator, { chart: { completed: healthy, dead: poison.length } })
  const alarms = await endAlarms()
  const neighbours = { completed: alarms, dead: 0 }
  await reached(operator, { history: neighbours, page: neighbours })

  const { items } = await operator.deadLetters()
  expect(items.map(({ event }) => (event.data as { harm: string }).harm).sort()).toEqual([...poison].sort())
  for (const { subscription, failure } of items) {
    expect(subscription).toBe('chart')
    expect(failure).toMatchObject({ category: 'permanent', name: 'ProcessDeath' })
    expect(failure.message).toContain('Fix the handler, then redrive')
  }
  const died = run.records.filter(({ message }) => message === 'died')
  expect(died.length).toBeLessThanOrEqual(deathsMax)
  const all = Array.from({ length: alarms }, (_, n) => n)
  const runs = handled()
  for (const name of ['history', 'page']) {
    const mine = runs.filter((each) => each.name === name)
    expect([...new Set(mine.map(({ n }) => n))].sort((a, b) => a - b)).toEqual(all)
    // Whoever was put to the proof in a process waited until the neighbours had had their turn in it.
    const starts = run.records.filter(({ message }) => message === 'ready').slice(2)
    const lived = new Set(mine.map(({ pid }) => pid))
    expect(starts.map(({ processId }) => processId).filter((id) => !lived.has(Number(id)))).toEqual([])
    console.log(`${name}: ${died.length} deaths, ${standstillMs(runs, name)} ms of standstill at most`)
  }
})
