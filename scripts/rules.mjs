// `npm run rules`: the house rules that a tool can judge. First it breaks each rule on purpose in a scratch folder and
// fails unless every one is caught; then it judges this checkout. `--self-test` does the first part alone.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { check } from './rules/check.mjs'
import { missedSamples } from './rules/samples.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
process.exitCode = await main(process.argv.slice(2))

async function main(parameters) {
  const { missed, samples } = await missedSamples()
  for (const line of missed) console.log(line)
  console.log(`${samples} samples, ${missed.length} not judged as they should be`)
  if (missed.length > 0 || parameters.includes('--self-test')) return missed.length > 0 ? 1 : 0

  const { modules, imports, rules, faults } = await check(root)
  for (const fault of faults) console.log(`${fault.file}:${fault.line}  ${fault.rule}: ${fault.message}`)
  console.log(`${modules} modules, ${imports} imports, ${rules} rules, ${faults.length} broken`)
  return faults.length > 0 ? 1 : 0
}
