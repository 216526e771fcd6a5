// `npm run verify:model -- --sequences N --seed S [--operations N] [--trace] [--json]`: the memory store, on which the
// simulation stands, against real PostgreSQL (`DATABASE_URL`, else a temporary server).
import process from 'node:process'
import { parseArgs } from 'node:util'
import { startTemporaryPostgres } from '@eventspine/embedded'
import { compare, type Difference } from './compare.js'
import { PostgresModel } from './stores.js'

const { values } = parseArgs({
  options: {
    sequences: { type: 'string', default: '200' },
    operations: { type: 'string', default: '40' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

const seed = values.seed === undefined ? Date.now() % 4_294_967_296 : Number(values.seed)
const sequences = values.trace ? 1 : Number(values.sequences)
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
      const difference = await compare(
        seed + index,
        Number(values.operations),
        postgres,
        ({ operation, memory }) => {
          if (values.trace) console.log(operation.kind, JSON.stringify(memory))
        },
      )
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
    JSON.stringify({ check: 'model', runs: sequences, violations: differences.length, seed, seconds }),
  )
  return differences.length > 0 ? 1 : 0
}

function print({ seed: of, step, kind, memory, postgres }: Difference): void {
  console.log(`seed ${of}, step ${step}: ${kind} differs`)
  console.log(`    memory   ${JSON.stringify(memory)}`)
  console.log(`    postgres ${JSON.stringify(postgres)}`)
}
