// `npm run verify:overload -- [--seconds N] [--only http|library|herd|noisy] [--json]`: how long each overload lasts;
// `--seconds 10` takes three minutes, the 60 of the full run ten.
import { parseArgs } from 'node:util'
import { circumstances } from '../core/circumstances.js'
import { checkNames, optionsOf, secondsOf } from '../core/options.js'
import { herd } from './herd.js'
import { noisy } from './noisy.js'
import { overload } from './run.js'

interface Judged {
  readonly violations: readonly string[]
}

const say = (line: string) => void process.stderr.write(`${line}\n`)
const checks: Readonly<Record<string, (seconds: number) => Promise<Judged>>> = {
  http: (seconds) => overload({ subject: 'http', seconds, say }),
  library: (seconds) => overload({ subject: 'library', seconds, say }),
  herd: (seconds) => herd(seconds, say),
  noisy: (seconds) => noisy(seconds, say),
}

const usage = 'npm run verify:overload -- [--seconds N] [--only http|library|herd|noisy] [--json]'
const { values, seconds } = optionsOf(usage, () => {
  const parsed = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const { only } = parsed.values
  checkNames('only', only === undefined ? [] : [only], Object.keys(checks))
  return { values: parsed.values, seconds: secondsOf('seconds', parsed.values.seconds) }
})

async function main(): Promise<number> {
  const asked = Object.entries(checks).filter(([name]) => values.only === undefined || values.only === name)
  let bad = 0
  for (const [name, check] of asked) {
    const beganAt = performance.now()
    const { violations, ...figures } = await check(seconds)
    bad += violations.length
    const took = Math.round((performance.now() - beganAt) / 100) / 10
    const line = { check: `overload ${name}`, runs: 1, violations: violations.length, seed: null }
    if (!values.json) print(name, figures)
    console.log(JSON.stringify({ ...line, seconds: took, ...figures, ...circumstances({ seconds }) }))
    for (const violation of violations) say(`VIOLATION ${name}: ${violation}`)
  }
  return bad > 0 ? 1 : 0
}

function print(name: string, figures: object): void {
  const rows = Object.entries(figures).map(([key, value]) => [words(key), shown(value)] as const)
  const width = Math.max(...rows.map(([key]) => key.length))
  console.log(`\n${name}`)
  for (const [key, value] of rows) console.log(`  ${key.padEnd(width)}  ${value}`)
}

/** `latencyMs99During` as a person reads it. */
const words = (key: string) => key.replaceAll(/([A-Z]|\d+)/g, ' $1').toLowerCase()

function shown(value: unknown): string {
  if (value === null) return 'not in time'
  if (typeof value !== 'object') return String(value)
  return Object.entries(value)
    .map(([key, each]) => `${words(key)} ${each}`)
    .join(', ')
}

process.exitCode = await main()
