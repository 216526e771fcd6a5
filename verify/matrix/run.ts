// `npm run test:matrix [-- --only TEXT] [--json] [-- PATH…]`: the library's tests in every combination of Node and
// PostgreSQL. What is missing is installed into .eventspine/matrix; nothing of it is needed by `npm test`.
import { parseArgs } from 'node:util'
import { type Combination, combinations } from './combination.js'
import { Missing } from './missing.js'
import { type Result, runTests } from './tests.js'

const { values, positionals } = parseArgs({
  options: { only: { type: 'string' }, json: { type: 'boolean', default: false } },
  allowPositionals: true,
})

const shownMax = 40

type Verdict = Result & {
  readonly name: string
  readonly seconds: number
  readonly missing: string | undefined
}

process.exitCode = await main()

async function main(): Promise<number> {
  const asked = combinations.filter(({ name }) => values.only === undefined || name.includes(values.only))
  if (asked.length === 0) throw new Error(`No combination has "${values.only}" in its name`)
  const beganAt = performance.now()
  const verdicts: Verdict[] = []
  for (const combination of asked) {
    const verdict = await judged(combination)
    verdicts.push(verdict)
    if (!values.json) tell(verdict)
  }
  if (!values.json) printTable(verdicts)
  const failed = verdicts.reduce((sum, each) => sum + each.failed.length, 0)
  const missing = verdicts.filter((each) => each.missing !== undefined).length
  const runs = verdicts.reduce((sum, each) => sum + each.passed + each.failed.length, 0)
  const seconds = Math.round((performance.now() - beganAt) / 100) / 10
  console.log(JSON.stringify({ check: 'matrix', runs, violations: failed, seed: null, seconds, missing }))
  return failed > 0 || missing > 0 ? 1 : 0
}

async function judged(combination: Combination): Promise<Verdict> {
  const { name } = combination
  const say = (line: string) => process.stderr.write(`${line}\n`)
  say(`${name} …`)
  const beganAt = performance.now()
  const seconds = () => Math.round((performance.now() - beganAt) / 1_000)
  try {
    const surroundings = await combination.start(say)
    try {
      const parts = positionals.length > 0 ? positionals : ['packages/eventspine']
      return { name, missing: undefined, ...(await runTests(surroundings, parts)), seconds: seconds() }
    } finally {
      await surroundings.stop()
    }
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    return { name, missing: error.message, passed: 0, skipped: 0, failed: [], seconds: seconds() }
  }
}

function tell({ name, missing, passed, failed, seconds }: Verdict): void {
  console.log(
    missing === undefined
      ? `${name}: ${passed} passed, ${failed.length} failed (${seconds} s)`
      : `${name}: ${missing}`,
  )
  for (const line of failed.slice(0, shownMax)) console.log(`    ${line}`)
}

function printTable(verdicts: readonly Verdict[]): void {
  const width = Math.max(...verdicts.map(({ name }) => name.length))
  console.log(`\n${'combination'.padEnd(width)}  passed  failed  skipped      s`)
  for (const { name, passed, failed, skipped, seconds, missing } of verdicts) {
    const counts = [passed, failed.length, skipped].map((count) => String(count).padStart(6)).join('  ')
    console.log(
      `${name.padEnd(width)}  ${missing === undefined ? `${counts}  ${String(seconds).padStart(6)}` : 'not here'}`,
    )
  }
}
