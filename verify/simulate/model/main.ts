// `npm run verify:model -- --sequences N --seed S [--operations N] [--trace] [--json]`: the memory store, on which the
// simulation stands, against real PostgreSQL (`DATABASE_URL`, else a temporary server).
import process from 'node:process'
import { parseArgs } from 'node:util'
import { startTemporaryPostgres } from '@eventspine/embedded'
import { circumstances } from '../../core/circumstances.js'
import { optionsOf, seedOf, wholeOf } from '../../core/options.js'
import { compare, type Difference } from './compare.js'
import { PostgresModel } from './stores.js'

const usage = 'npm run verify:model -- [--sequences N] [--operations N] [--seed S] [--trace] [--json]'
const { values, seed, sequences, operations } = optionsOf(usage, () => {
  const parsed = parseArgs({
    options: {
      sequences: { type: 'string', default: '200' },
      operations: { type: 'string', default: '40' },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const { sequences: wanted, operations: each, seed: given, trace } = parsed.values
  return {
    values: parsed.values,
    seed: seedOf(given),
    sequences: trace ? 1 : wholeOf('sequences', wanted),
    operations: wholeOf('operations', each),
  }
})
process.exitCode = await main()

async function main(): Promise<number> {
  const given = process.env.DATABASE_URL
  const server = given === undefined || given === '' ? await startTemporaryPostgres() : undefined
  const postgres = new PostgresModel(server?.url ?? given ?? '')
  const beganAt = Date.now()
  const differences: Difference[] = []
  try {
    await postgres.start()
    for (let index = 0; index < sequences; index++) {
      const difference = await compare(seed + index, operations, postgres, ({ operation, memory }) => {
        if (values.trace) console.log(operation.kind, JSON.stringify(memory))
      })
      if (difference === undefined) continue
      differences.push(difference)
      if (!values.json) print(difference)
    }
  } finally {
    await postgres.stop()
    await server?.stop()
  }
  const seconds = Math.round((Date.now() - beganAt) / 100) / 10
  console.log(
    JSON.stringify({
      ...{ check: 'model', runs: sequences, violations: differences.length, seed, seconds },
      ...circumstances({ operations }),
    }),
  )
  return differences.length > 0 ? 1 : 0
}

function print({ seed: of, step, kind, memory, postgres }: Difference): void {
  console.log(`seed ${of}, step ${step}: ${kind} differs`)
  console.log(`    memory   ${JSON.stringify(memory)}`)
  console.log(`    postgres ${JSON.stringify(postgres)}`)
}
