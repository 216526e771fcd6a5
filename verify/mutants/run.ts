// `npm run verify:mutants [-- --only NAME|I8] [--json] [--tests-passed]`: plants each bug of the catalogue in turn and fails
// unless a test catches it. Two at a time, on one PostgreSQL: TEST_DATABASE_URL, or a temporary one. `--tests-passed`: the tests
// have just passed without any bug, as in `npm test`, and are not run so once more.
import { parseArgs } from 'node:util'
import { startTemporaryPostgres } from '@eventspine/embedded'
import { circumstances } from '../core/circumstances.js'
import { checkNames, optionsOf } from '../core/options.js'
import { catalogue } from './catalogue/index.js'
import { type Judgement, judged, unfit } from './judge.js'
import { Lane } from './lane.js'
import type { Mutant } from './mutant.js'

const lanesMax = 2
/** A mutant that hangs its test beyond the test's own timeout: a loop that never yields. */
const mutantMsMax = 120_000

interface Asked {
  readonly only: readonly string[]
  readonly json: boolean
  readonly testsPassed: boolean
}

process.exitCode = await main(asked())

function asked(): Asked {
  return optionsOf('npm run verify:mutants -- [--only NAME|I8] [--json] [--tests-passed]', () => {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', multiple: true },
        json: { type: 'boolean', default: false },
        'tests-passed': { type: 'boolean', default: false },
      },
    })
    checkNames('only', values.only ?? [], [
      ...new Set(catalogue.flatMap(({ name, invariants }) => [name, ...invariants])),
    ])
    return { only: values.only ?? [], json: values.json, testsPassed: values['tests-passed'] }
  })
}

async function main({ only, json, testsPassed }: Asked): Promise<number> {
  const began = performance.now()
  const mutants = catalogue.filter(({ name, invariants }) => isAsked(only, [name, ...invariants]))
  const judgements = await onPostgres(() => judgeAll(mutants, testsPassed, json ? complain : show))
  const violations = judgements.filter(({ verdict }) => verdict !== 'caught').length
  const seconds = Math.round((performance.now() - began) / 100) / 10
  if (json)
    console.log(
      JSON.stringify({
        ...{ check: 'mutants', runs: mutants.length, violations, seed: null, seconds },
        ...circumstances({ only, testsPassed }),
      }),
    )
  else printTable(judgements, seconds)
  return violations > 0 ? 1 : 0
}

function isAsked(only: readonly string[], names: readonly string[]): boolean {
  return only.length === 0 || only.some((each) => names.includes(each))
}

async function onPostgres<Result>(work: () => Promise<Result>): Promise<Result> {
  if (process.env.TEST_DATABASE_URL) return work()
  const postgres = await startTemporaryPostgres()
  process.env.TEST_DATABASE_URL = postgres.url
  try {
    return await work()
  } finally {
    await postgres.stop()
  }
}

/** First the tests without any bug, unless they passed just now; then each bug, in the order of the catalogue. */
async function judgeAll(
  mutants: readonly Mutant[],
  testsPassed: boolean,
  progress: (judgement: Judgement, done: number, all: number) => void,
): Promise<readonly Judgement[]> {
  const lanes = Array.from({ length: lanesMax }, () => new Lane())
  try {
    const unfitFor = testsPassed ? new Map<string, string[]>() : await unfitTests(lanes, mutants)
    const judgements = new Map<Mutant, Judgement>()
    await share(lanes, mutants, async (lane, mutant) => {
      const { test, name } = mutant.caughtBy
      const reason = 'its test does not pass without the bug'
      const judgement: Judgement = unfitFor.get(test)?.includes(name)
        ? { mutant, verdict: 'broken', reason, seconds: 0 }
        : judged(mutant, await bounded(mutant, lane.run(test, [name], mutant)))
      judgements.set(mutant, judgement)
      progress(judgement, judgements.size, mutants.length)
    })
    return mutants.flatMap((mutant) => judgements.get(mutant) ?? [])
  } finally {
    await Promise.all(lanes.map((lane) => lane.stop()))
  }
}

async function unfitTests(lanes: readonly Lane[], mutants: readonly Mutant[]) {
  const tests = new Set(mutants.map(({ caughtBy }) => caughtBy.test))
  const unfitFor = new Map<string, readonly string[]>()
  await share(lanes, [...tests], async (lane, test) => {
    const those = mutants.filter(({ caughtBy }) => caughtBy.test === test)
    const names = [...new Set(those.map(({ caughtBy }) => caughtBy.name))]
    unfitFor.set(test, unfit(names, await lane.run(test, names)))
  })
  return unfitFor
}

function bounded<Result>(mutant: Mutant, running: Promise<Result>): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const hangs = new Promise<never>((_, reject) => {
    const error = new Error(`"${mutant.name}" hangs its test: plant a bug that lets it end`)
    timer = setTimeout(() => reject(error), mutantMsMax)
  })
  return Promise.race([running, hangs]).finally(() => clearTimeout(timer))
}

/** Each lane takes the next one as soon as it is free. */
async function share<Work>(
  lanes: readonly Lane[],
  works: readonly Work[],
  run: (lane: Lane, work: Work) => Promise<void>,
): Promise<void> {
  const left = [...works]
  const follow = async (lane: Lane) => {
    for (let work = left.shift(); work !== undefined; work = left.shift()) await run(lane, work)
  }
  await Promise.all(lanes.map(follow))
}

function show({ mutant, verdict, reason, seconds }: Judgement, done: number, all: number): void {
  console.log(`${done}/${all}  ${verdict}  ${mutant.name} (${seconds.toFixed(1)} s)  ${reason}`)
}

function complain({ mutant, verdict, reason }: Judgement): void {
  if (verdict !== 'caught') console.error(`${verdict}  ${mutant.name}  ${reason}`)
}

function printTable(judgements: readonly Judgement[], seconds: number): void {
  const rows = judgements.map(({ mutant, verdict, seconds: took }) => [
    mutant.name,
    mutant.invariants.join(' '),
    verdict,
    took.toFixed(1),
    `${mutant.caughtBy.test.replace('packages/eventspine/', '')}: ${mutant.caughtBy.name}`,
  ])
  const head = ['mutant', 'breaks', 'verdict', 's', 'caught by']
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  console.log(['', line(head), ...rows.map(line), ''].join('\n'))
  const caught = judgements.filter(({ verdict }) => verdict === 'caught').length
  console.log(`${caught} of ${judgements.length} mutants caught in ${seconds} s`)
}
