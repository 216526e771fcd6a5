// The whole program, from its start to its last line: whatever happens on the way, the books come out right.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { brokenInvoices, expectedTally, penceOf } from './expected.js'
import { Folder, Run, readBooks, whileRunning } from './run.js'

const minute = 60_000

let folder: Folder
let runs: Run[]

const start = (environment: NodeJS.ProcessEnv = {}) => {
  const run = new Run(folder, environment)
  runs.push(run)
  return run
}

beforeEach(() => {
  folder = new Folder()
  runs = []
})

afterEach(async () => {
  for (const run of runs) run.kill('SIGTERM')
  await Promise.all(runs.map((run) => run.ended()))
  folder.remove()
})

async function expectExactBooks(): Promise<void> {
  const { processed, cancelled, processedPence, cancelledPence } = expectedTally
  expect(await readBooks(folder)).toMatchObject({
    invoices: processed + cancelled,
    pence: processedPence + cancelledPence,
    announced: processed + cancelled,
    announcements: processed + cancelled,
  })
}

describe('npm start', () => {
  it('brings every invoice to its one right end, and a second run changes nothing', {
    timeout: 4 * minute,
  }, async () => {
    const first = await start().story()
    expect(first.firstPass).toMatchObject({ invoices: penceOf.size, lines: 999, known: 0, repeats: 3 })
    expect(first.tally).toEqual(expectedTally)
    expect(first.dead.map(({ invoice }) => invoice).sort()).toEqual(brokenInvoices)
    expect(first.redrive).toMatchObject({ state: 'completed', selected: 9, succeeded: 9, failed: 0 })
    expect(first.firstPass.waiting).toEqual([{ invoice: 'C536506', behind: '536488' }])
    await expectExactBooks()
    const { events } = await readBooks(folder)

    const second = await start().story()
    expect(second.firstPass).toMatchObject({ known: penceOf.size, tally: expectedTally })
    expect(second).toMatchObject({ tally: expectedTally, redrive: null })
    expect((await readBooks(folder)).events).toBe(events)
  })

  it('shows each category with what it led to, and brings home what can be redeemed', {
    timeout: 2 * minute,
  }, async () => {
    const { incidents } = await start().story()
    const counts = incidents.map(({ category, where, failed, retried, dead, breaker, home }) => {
      return [category, where, failed, retried, dead, breaker, home]
    })
    expect(counts).toEqual([
      ['validation', 'validate', 2, 0, 2, null, 2],
      ['permanent', 'publish', 2, 0, 2, null, 2],
      ['transient', 'publish', 8, 7, 1, 'queue', 1],
      ['transient', 'process', 6, 6, 0, 'database', 3],
      ['processing', 'process', 6, 4, 2, null, 2],
      ['timeout', 'events', 3, 3, 0, 'bus', 3],
      ['unknown', 'events', 16, 14, 2, null, 2],
      ['validation', 'process', 3, 0, 3, null, 0],
    ])
  })

  it('has a good day when failures are off', { timeout: 2 * minute }, async () => {
    const { firstPass, tally, redrive } = await start({ ORDER_FAILURES: 'off' }).story()
    expect(firstPass.tally).toEqual(expectedTally)
    expect(tally).toEqual(expectedTally)
    expect(redrive).toBeNull()
  })
})

describe('a crash in the middle', () => {
  it('of the program: the next start goes on, and the books are exact', { timeout: 4 * minute }, async () => {
    const run = start()
    await whileRunning(run, () => folder.claims >= 10)
    run.kill('SIGKILL')
    expect(await run.ended()).toBe('SIGKILL')

    expect((await start().story()).tally).toEqual(expectedTally)
    await expectExactBooks()
  })

  it('of the database: the program goes on when it is back, and the books are exact', {
    timeout: 4 * minute,
  }, async () => {
    const run = start()
    await whileRunning(run, () => folder.claims >= 10)
    process.kill(folder.postmaster, 'SIGKILL')
    expect((await run.story()).tally).toEqual(expectedTally)
    await expectExactBooks()

    expect((await start().story()).tally).toEqual(expectedTally)
    await expectExactBooks()
  })
})
