// `npm run verify:long -- [--minutes N] [--only PROGRAMME]`: goes on with the long run for so long, and writes down how
// far it is. What was run before is in runs.jsonl beside this file; each part takes the seeds that nobody had yet.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { circumstances } from '../core/circumstances.js'
import { checkNames, optionsOf, secondsOf } from '../core/options.js'
import { tableOf, written } from './page.js'
import { type Closing, type Programme, programmes } from './programmes.js'
import { addRun, nextOf, readRuns, standingOf } from './runs.js'

const root = join(import.meta.dirname, '../..')
const file = join(import.meta.dirname, 'runs.jsonl')
/** The end of what a part complains of: beside that it tells its progress there. */
const errorCharsMax = 10_000
const page = join(root, 'docs/reliability.md')

const usage = 'npm run verify:long -- [--minutes N] [--only PROGRAMME]'
const { only: onlyName, minutes: minutesAsked } = optionsOf(usage, () => {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '60' }, only: { type: 'string' } },
  })
  checkNames(
    'only',
    values.only === undefined ? [] : [values.only],
    programmes.map(({ name }) => name),
  )
  return { only: values.only, minutes: secondsOf('minutes', values.minutes) }
})
process.exitCode = await main(minutesAsked, onlyName)

async function main(minutes: number, only: string | undefined): Promise<number> {
  const until = performance.now() + minutes * 60_000
  const beganAt = performance.now()
  let [violations, runs] = [0, 0]
  for (;;) {
    const chosen = standings().filter(({ programme }) => only === undefined || programme.name === only)
    const next = nextOf(chosen, (until - performance.now()) / 1_000)
    if (next === undefined) break
    const { programme, nextSeed } = next
    console.log(`${programme.name}: ${programme.part} ${programme.unit} from seed ${nextSeed}`)
    const commit = commitNow()
    const closing = await partOf(programme, nextSeed)
    violations += closing.violations
    runs++
    const { node } = process.versions
    addRun(file, { ...closing, programme: programme.name, commit, node, at: new Date().toISOString() })
    console.log(`    ${programme.counted(closing)} in ${closing.seconds} s, ${closing.violations} violations`)
  }
  writeFileSync(page, written(readFileSync(page, 'utf8'), standings()))
  console.log(`\n${tableOf(standings())}`)
  console.log(
    JSON.stringify({
      check: 'long',
      runs,
      violations,
      seed: null,
      seconds: Math.round((performance.now() - beganAt) / 100) / 10,
      ...circumstances({ minutes, only: only ?? null }),
    }),
  )
  // The page is written anew in any case; a call that had no time for a part has shown nothing.
  return violations > 0 || runs === 0 ? 1 : 0
}

function standings() {
  const runs = readRuns(file)
  return programmes.map((programme) => standingOf(programme, runs))
}

/** Runs one part. Answers its last line; throws when it ended without one, which says more than a count. */
async function partOf({ name, command }: Programme, seed: number): Promise<Closing> {
  const parameters = ['--import', 'tsx', '--conditions=source', ...command, '--seed', String(seed)]
  const child = spawn(process.execPath, parameters, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let [output, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors = (errors + chunk).slice(-errorCharsMax)
  })
  await once(child, 'close')
  const last = output.split('\n').findLast((line) => line.startsWith('{"check":'))
  if (last === undefined)
    throw new Error(
      `${name} with seed ${seed} ended with ${child.exitCode ?? child.signalCode} and no verdict:\n${output}\n${errors}`,
    )
  const closing: Closing = JSON.parse(last)
  if (child.exitCode !== 0) console.error(errors)
  // What it says, and how it ended: the worse of both counts.
  return child.exitCode === 0 ? closing : { ...closing, violations: Math.max(1, closing.violations) }
}

function commitNow(): string {
  const git = (...parameters: string[]) =>
    spawnSync('git', parameters, { cwd: root, encoding: 'utf8' }).stdout.trim()
  const changed = git('status', '--porcelain', '--', 'packages', 'verify', ':!verify/long')
  return `${git('rev-parse', '--short', 'HEAD')}${changed === '' ? '' : '+'}`
}
