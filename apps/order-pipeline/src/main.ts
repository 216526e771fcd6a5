// What `npm start` runs: the pipeline on real invoices, told to a person or, with --json, to a program; then served
// until Ctrl-C. The first Ctrl-C drains and stops, a second one does not wait.
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Demonstration } from './story/demonstration.js'
import { Narrator } from './story/narrator.js'

const usage = `Usage: npm start -- [--once] [--json] [--no-ward]
  --once      stop after the story instead of serving on
  --json      print one JSON document instead of the story
  --no-ward   leave out the ward, which runs beside it otherwise
Environment: PORT, DATABASE_URL, EVENTSPINE_DIRECTORY, ORDER_FAILURES=off, ORDER_TIME_SCALE, NO_COLOR
`

const dataDirectory = resolve(
  process.env.EVENTSPINE_DIRECTORY || fileURLToPath(new URL('../../../.eventspine', import.meta.url)),
)

let stopping: Promise<void> | undefined

/** Whether it serves, and somebody looks on who may be shown more. */
async function main(): Promise<boolean> {
  const { once, json, help, 'no-ward': alone } = flags()
  if (help) {
    process.stdout.write(usage)
    return false
  }
  const narrator = new Narrator(json ? { write() {} } : process.stdout, Boolean(process.env.NO_COLOR))
  // Imported here, so that a wrong setting is told below instead of ending the program with a stack.
  const { Demonstration } = await import('./story/demonstration.js')
  const databaseUrl = process.env.DATABASE_URL || undefined
  const demonstration = new Demonstration({ directory: dataDirectory, databaseUrl, narrator })
  stopOnSignals(demonstration, narrator)
  try {
    const story = await demonstration.run(!once)
    if (json) process.stdout.write(`${JSON.stringify(story, null, 2)}\n`)
    if (once) endSoon()
    return !once && !json && !alone && stopping === undefined
  } catch (error) {
    // What is interrupted by a signal fails on the way out: that is no news.
    if (stopping !== undefined) return stopping.then(() => false)
    narrator.progress('')
    await demonstration.stop().finally(endSoon)
    throw error
  }
}

function flags() {
  const flag = { type: 'boolean', default: false } as const
  return parseArgs({ options: { once: flag, json: flag, help: flag, 'no-ward': flag } }).values
}

// npm passes on the Ctrl-C that the terminal has given to this process already: within this time it is one.
const oneSignalMs = 500

function stopOnSignals(demonstration: Demonstration, narrator: Narrator): void {
  let firstAt = 0
  const onSignal = () => {
    if (stopping !== undefined && performance.now() - firstAt > oneSignalMs) process.exit(130)
    if (stopping !== undefined) return
    firstAt = performance.now()
    narrator.say('', 'Stopping: what is under way is finished first. Ctrl-C again does not wait.')
    stopping = demonstration
      .stop()
      .then(() => narrator.done('Stopped. Everything is kept; npm start goes on from here.'))
    stopping.catch(explain).finally(endSoon)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal)
}

function explain(error: unknown): false {
  const { message, stack, cause } = error instanceof Error ? error : new Error(String(error))
  process.stderr.write(`\n  ${unreachable(error, cause) ?? message}\n${hintFor(error, message)}`)
  if (process.env.DEBUG) process.stderr.write(`${stack}\n`)
  process.exitCode = 1
  return false
}

// What the library says of it comforts those who run already. Whoever starts wants to know where and why.
function unreachable(error: unknown, cause: unknown): string | undefined {
  const url = process.env.DATABASE_URL
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'UNAVAILABLE' || !url)
    return undefined
  if (!/database/i.test(error.message) || !URL.canParse(url)) return undefined
  const why = cause instanceof Error && cause.message !== '' ? `: ${cause.message}` : ''
  return `The database of DATABASE_URL, ${new URL(url).host}, cannot be reached${why}. Start it, or leave DATABASE_URL away to use the embedded one.`
}

function hintFor(error: unknown, message: string): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code.startsWith('ERR_PARSE_ARGS')) return `\n${usage}`
  return code === 'UNAVAILABLE' && /port \d+/i.test(message) ? '  For example: PORT=4601 npm start\n' : ''
}

// Once stopped, nothing holds the process. What still does is a fault, and must not hold a person too.
const endMsMax = 5_000

function endSoon(): void {
  const end = () => {
    process.stderr.write('\n  Something did not end, so the process is ended with it.\n')
    process.exit(1)
  }
  setTimeout(end, endMsMax).unref()
}

/** Resolves when the story is told: true where the pipeline goes on serving, and the ward is wanted beside it. */
export const serving: Promise<boolean> = main().catch(explain)
