// `node console-run.mjs DATABASE_URL letters COUNT | stream PER_SECOND`: publishes, from the compiled packages. A stream says how many
// it has published whenever a line comes in, and ends with its input.
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { Eventspine } from 'eventspine'
import app, { orderPlaced, pageSeen } from './console-app.mjs'

const batchEventsMax = 500
const [databaseUrl, what, number] = process.argv.slice(2)
const spine = new Eventspine(app, { databaseUrl, work: false, stalledMs: 0 })
await spine.start()

const countries = ['DE', 'AT', 'FR', 'XX']
const order = (n) => ({ n, order: `o-${n}`, country: countries[n % 4], note: 'by the hour '.repeat(6) })
const view = (n) => ({ n, page: `/p/${n % 500}`, customer: `c-${n % 1_000}` })
const batch = (event, data, from, count) =>
  Promise.all(Array.from({ length: count }, (_, at) => spine.publish(event, data(from + at))))

async function letters(count) {
  for (let n = 0; n < count; n += batchEventsMax)
    await batch(orderPlaced, order, n, Math.min(batchEventsMax, count - n))
}

async function stream(perSecond) {
  let published = 0
  let open = true
  createInterface({ input: process.stdin })
    .on('line', () => process.stdout.write(`${published}\n`))
    .on('close', () => (open = false))
  const beganAt = performance.now()
  while (open) {
    const due = Math.floor(((performance.now() - beganAt) * perSecond) / 1_000) - published
    if (due <= 0) await delay(2)
    else {
      const count = Math.min(batchEventsMax, due)
      await batch(pageSeen, view, published, count)
      published += count
    }
  }
}

await (what === 'letters' ? letters : stream)(Number(number))
await spine.stop()
