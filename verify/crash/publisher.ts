// A publisher process: numbered events over some lanes, each lane in order. Half of what is not acknowledged is
// published again under its id until it is, the other half is left in doubt. SIGTERM ends it.
import { setTimeout as delay } from 'node:timers/promises'
import { Eventspine, EventspineError } from 'eventspine'
import { crashedApp, happened } from './app.js'
import { startWhenThere } from './engine.js'
import { type Answer, Journal } from './journal.js'

const environment = (name: string) => process.env[name] ?? ''
const databaseUrl = environment('DATABASE_URL')
const schema = environment('CRASH_SCHEMA')
const name = environment('CRASH_NAME')
const lanes = Number(environment('CRASH_LANES'))
const pauseMs = Number(environment('CRASH_PAUSE_MS'))
/** Events of a key: keys end, so that what is kept of each stays small. */
const keyEventsMax = 50
const keysOfLane = 3
const againAfterMs = 100
const answers: Readonly<Record<string, Answer>> = {
  UNAVAILABLE: 'refused',
  OVERLOADED: 'refused',
  UNKNOWN_OUTCOME: 'unknown',
}

const journal = await Journal.open(environment('CRASH_JOURNAL'))
const spine = await startWhenThere(
  () => new Eventspine(crashedApp(schema), { databaseUrl, schema, work: false, migrate: false }),
)
let stopping = false
process.once('SIGTERM', () => {
  stopping = true
})
// Nobody would end it if the run itself died.
const parent = process.ppid
setInterval(() => {
  if (process.ppid !== parent) process.exit(71)
}, 1_000).unref()
process.stdout.write('ready\n')

/** One try. Answers whether it is stored for sure. */
async function publish(n: number, event: string, key: string): Promise<boolean> {
  const beganAt = performance.now()
  const tell = (answer: string, code: string) =>
    journal.write(`${answer} ${event} ${code} ${Math.round(performance.now() - beganAt)}`)
  try {
    await spine.publish(happened, { n, event, key }, { id: event })
    await tell('acked', 'stored')
    return true
  } catch (error) {
    const code = error instanceof EventspineError ? error.code : String(error).replaceAll(/\s+/g, '_')
    await tell(answers[code] ?? 'wrong', code)
    return false
  }
}

async function follow(lane: number): Promise<void> {
  for (let n = lane, turn = 0; !stopping; n += lanes, turn++) {
    const generation = Math.floor(turn / (keysOfLane * keyEventsMax))
    const key = `${name}-${lane}-${generation}-${turn % keysOfLane}`
    const event = `${name}-${n}`
    await journal.write(`intent ${event} ${key}`)
    while (!(await publish(n, event, key)) && !stopping) {
      await delay(againAfterMs)
      if (n % 2 === 1) break
    }
    await delay(pauseMs)
  }
}

await Promise.all(Array.from({ length: lanes }, (_, lane) => follow(lane)))
await spine.stop()
await journal.close()
