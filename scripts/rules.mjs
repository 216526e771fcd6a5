// `npm run rules`: the house rules that a tool can judge. First it breaks each rule on purpose in a scratch folder and
// fails unless every one is caught; then it judges this checkout. `--self-test` does the first part alone.
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { check } from './rules/check.mjs'
import { missedSamples } from './rules/samples.mjs'

// Fewer means that the tool looked in the wrong place or could not read TypeScript: dependency-cruiser reports "no
// violations" over zero modules when it does not know the version of the compiler.
const modulesMin = 250
const importsMin = 900

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
  if (modules < modulesMin || imports < importsMin) {
    console.log(
      `Too little was seen to judge (at least ${modulesMin} modules and ${importsMin} imports are here). Is typescript 6 installed? Root: ${root} with ${readdirSync(root).length} entries.`,
    )
    return 1
  }
  return faults.length > 0 ? 1 : 0
}
