// `npm run verify:overload -- [--seconds N] [--only http|library|herd|noisy] [--json]`: how long each overload lasts;
// `--seconds 10` takes three minutes, the 60 of the full run ten.
import { parseArgs } from 'node:util'
import { herd } from './herd.js'
import { noisy } from './noisy.js'
import { overload } from './run.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})

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

async function main(): Promise<number> {
  const seconds = Number(values.seconds)
  if (!Number.isFinite(seconds) || seconds <= 0)
    throw new Error(`--seconds takes a number, not "${values.seconds}"`)
  const asked = Object.entries(checks).filter(([name]) => values.only === undefined || values.only === name)
  if (asked.length === 0)
    throw new Error(`--only takes ${Object.keys(checks).join(', ')}, not "${values.only}"`)
  let bad = 0
  for (const [name, check] of asked) {
    const beganAt = performance.now()
    const { violations, ...figures } = await check(seconds)
    bad += violations.length
    const took = Math.round((performance.now() - beganAt) / 100) / 10
    const line = { check: `overload ${name}`, runs: 1, violations: violations.length, seed: null }
    if (!values.json) print(name, figures)
    console.log(JSON.stringify({ ...line, seconds: took, ...figures }))
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
