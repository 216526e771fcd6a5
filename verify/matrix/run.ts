// `npm run test:matrix -- [--only TEXT] [--shard N/M] [--json] [PATH…]`: the library's tests in every combination of Node
// and PostgreSQL, or those of some files, or the n-th of m parts of them. What is missing is installed into
// .eventspine/matrix; nothing of it is needed by `npm test`.
import { parseArgs } from 'node:util'
import { Misuse, optionsOf } from '../core/options.js'
import { type Combination, combinations } from './combination.js'
import { Missing } from './missing.js'
import { jsonOf, tableOf, type Verdict } from './report.js'
import { runTests } from './tests.js'

const usage = 'npm run test:matrix -- [--only TEXT] [--shard N/M] [--json] [PATH…]'
const { values, positionals, asked } = optionsOf(usage, () => {
  const parsed = parseArgs({
    options: {
      only: { type: 'string' },
      shard: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  })
  const { only = '', shard } = parsed.values
  const chosen = combinations.filter(({ name }) => name.toLowerCase().includes(only.toLowerCase()))
  const names = combinations.map(({ name }) => name).join(', ')
  if (chosen.length === 0) throw new Misuse(`--only ${only}: there are ${names}`)
  if (shard !== undefined && !/^[1-9]\d*\/[1-9]\d*$/.test(shard))
    throw new Misuse(`--shard takes a part and how many there are, such as 1/3, not "${shard}"`)
  return { ...parsed, asked: chosen }
})

process.exitCode = await main()

async function main(): Promise<number> {
  const verdicts: Verdict[] = []
  for (const combination of asked) {
    const verdict = await judged(combination)
    verdicts.push(verdict)
    console.log(jsonOf(verdict))
  }
  if (!values.json) for (const line of ['', ...tableOf(verdicts)]) console.log(line)
  const ran = verdicts.reduce((sum, { passed, failed }) => sum + passed + failed.length, 0)
  // What cannot be tried here is named; a matrix that tried nothing at all has shown nothing.
  return ran === 0 || verdicts.some(({ failed }) => failed.length > 0) ? 1 : 0
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
      const paths = positionals.length > 0 ? positionals : ['packages/eventspine']
      const result = await runTests(surroundings, paths, values.shard)
      return { name, missing: undefined, ...result, seconds: seconds() }
    } finally {
      await surroundings.stop()
    }
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    return { name, missing: error.message, passed: 0, skipped: 0, failed: [], seconds: seconds() }
  }
}
