// One Vitest that stays up while mutant after mutant is planted in it: starting it anew for each would take three
// times as long as the tests.
import { join } from 'node:path'
import { createVitest, type TestCase, type TestModule, type Vitest } from 'vitest/node'
import { filesOf, type Mutant } from './mutant.js'
import { Planter, root } from './planter.js'

/** What a test may take with a bug in it: some wait for what will never come. */
const testMsMax = 12_000

export interface Ran {
  readonly passed: readonly TestCase[]
  readonly failed: readonly TestCase[]
  /** Why no answer can be read from it: a file that does not load, a fault outside of any test. */
  readonly faults: readonly string[]
  /** Files that were loaded with the bug in them. */
  readonly planted: ReadonlySet<string>
  readonly seconds: number
}

export class Lane {
  readonly #planter = new Planter()
  #vitest: Promise<Vitest> | undefined

  /** Runs the tests of one file whose titles hold one of `names`, with the bug in the product. */
  async run(test: string, names: readonly string[], mutant?: Mutant): Promise<Ran> {
    this.#vitest ??= this.#open()
    const vitest = await this.#vitest
    this.#plant(vitest, mutant)
    const began = performance.now()
    const testNamePattern = new RegExp(names.map(escaped).join('|'))
    const specification = vitest.getRootProject().createSpecification(join(root, test), { testNamePattern })
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications([specification])
    // Vitest answers the files of earlier runs as well.
    const modules = testModules.filter(({ moduleId }) => moduleId === specification.moduleId)
    const planted = new Set(this.#planter.planted)
    if (mutant !== undefined) this.#forget(vitest, mutant)
    const cases = modules.flatMap((module) => [...module.children.allTests()])
    return {
      passed: cases.filter((each) => each.result().state === 'passed'),
      failed: cases.filter((each) => each.result().state === 'failed'),
      faults: [...modules.flatMap(faultsOf), ...unhandledErrors.map(messageOf)],
      planted,
      seconds: (performance.now() - began) / 1_000,
    }
  }

  #open(): Promise<Vitest> {
    return createVitest(
      'test',
      {
        root,
        watch: false,
        maxWorkers: 1,
        testTimeout: testMsMax,
        hookTimeout: testMsMax,
        reporters: [{}],
        silent: true,
        configLoader: 'runner',
      },
      { plugins: [this.#planter.plugin], logLevel: 'error' },
    )
  }

  #plant(vitest: Vitest, mutant: Mutant | undefined): void {
    this.#planter.plant(mutant)
    if (mutant !== undefined) for (const file of filesOf(mutant)) vitest.invalidateFile(join(root, file))
  }

  #forget(vitest: Vitest, mutant: Mutant): void {
    this.#planter.plant()
    for (const file of filesOf(mutant)) vitest.invalidateFile(join(root, file))
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    const vitest = await this.#vitest
    this.#vitest = undefined
    await vitest?.close()
  }
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const faultsOf = (module: TestModule) => module.errors().map(({ message }) => message)
