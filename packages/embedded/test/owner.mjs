// A program that owns an embedded database, as the tests see it from outside: it says that it is ready, and does
// what its input and its signals ask for.
import { createInterface } from 'node:readline'
import { EmbeddedPostgres } from './embedded/index.js'

const postgres = new EmbeddedPostgres({
  ...JSON.parse(process.argv[2]),
  log: (line) => process.stderr.write(`${line}\n`),
})

for (const name of ['SIGINT', 'SIGTERM']) {
  process.on(name, async () => {
    await postgres.stop()
    process.exit(0)
  })
}

createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'exit') process.exit(0)
})

try {
  const { url } = await postgres.start()
  process.stdout.write(`${JSON.stringify({ url })}\n`)
} catch (error) {
  process.stdout.write(`${JSON.stringify({ code: error.code, message: error.message })}\n`)
  process.exit(1)
}
