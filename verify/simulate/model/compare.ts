// One sequence on both stores, step by step, to the first answer in which they differ.
import { isDeepStrictEqual } from 'node:util'
import { type ModelOperation, operationsOf } from './operations.js'
import { Side } from './side.js'
import { memoryModel, type PostgresModel } from './stores.js'

export interface Difference {
  readonly seed: number
  readonly step: number
  readonly kind: string
  readonly memory: unknown
  readonly postgres: unknown
}

export interface Step {
  readonly operation: ModelOperation
  readonly memory: unknown
}

/** The first difference, if there is one. `step` is told of each. */
export async function compare(
  seed: number,
  count: number,
  postgres: PostgresModel,
  told: (step: Step) => void = () => {},
): Promise<Difference | undefined> {
  await postgres.empty()
  const [one, two] = [new Side(memoryModel()), new Side(postgres)]
  try {
    await one.start()
    await two.start()
    for (const [step, operation] of operationsOf(seed, count).entries()) {
      const memory = plain(await one.run(operation))
      const real = plain(await two.run(operation))
      told({ operation, memory })
      if (!isDeepStrictEqual(memory, real))
        return { seed, step, kind: operation.kind, memory, postgres: real }
    }
    return undefined
  } finally {
    await one.stop()
    await two.stop()
  }
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
