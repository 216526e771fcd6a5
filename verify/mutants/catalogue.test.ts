// The catalogue is whole: every invariant has a mutant, every mutant its place in the product, its test and its line
// in the table for people. Whether the tests catch them is what `npm run verify:mutants` says.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { catalogue } from './catalogue/index.js'
import { filesOf, mutated, type NamedTest } from './mutant.js'
import { root } from './planter.js'

const invariants = [...Array.from({ length: 57 }, (_, index) => `I${index + 1}`), 'I62', 'I63']
const suite = 'packages/eventspine/src/store/conformance'
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const table = read('docs/internals/invariants.md')

/** Where the titles of a test file stand: in it, or in the suite that it runs. */
function titles({ test }: NamedTest): string {
  const text = read(test)
  if (!text.includes('describeStore(')) return text
  return readdirSync(join(root, suite)).reduce((before, file) => before + read(`${suite}/${file}`), text)
}

/** The table's row of an invariant. */
const rowOf = (invariant: string) =>
  table.split('\n').find((line) => line.startsWith(`| ${invariant} |`)) ?? ''

it.each(invariants)('%s has a mutant', (invariant) => {
  expect(catalogue.filter((mutant) => mutant.invariants.includes(invariant))).not.toEqual([])
})

it('names each mutant once, and no invariant that is not in the table', () => {
  const names = catalogue.map(({ name }) => name)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  expect(
    catalogue.flatMap((mutant) => mutant.invariants).filter((each) => !invariants.includes(each)),
  ).toEqual([])
})

describe.each(catalogue)('$name', (mutant) => {
  it('finds its place in the product', () => {
    for (const file of filesOf(mutant)) expect(mutated(mutant, file, read(file))).not.toBe(read(file))
  })

  it('has its test', () => {
    expect(titles(mutant.caughtBy)).toContain(mutant.caughtBy.name)
  })

  it('is in the table for people, with its test', () => {
    for (const invariant of mutant.invariants) {
      expect(rowOf(invariant)).toContain(`\`${mutant.name}\``)
      expect(rowOf(invariant)).toContain(mutant.caughtBy.test.replace('packages/eventspine/', ''))
    }
  })
})
