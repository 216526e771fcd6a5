// Waits until nothing moves any more: every invoice has its ending, every function has read all there is.
import { setTimeout as sleep } from 'node:timers/promises'
import { EventspineError, type Operator } from 'eventspine'
import { app } from '../app.js'
import type { RawInvoice } from '../invoices.js'
import { timeScale } from '../settings.js'
import { type Ledger, readLedger, type Tally, tallyOf } from './ledger.js'

const lookMs = 150
/** What does not move for so long waits for a person. */
const stillMs = 5_000
/** Two minutes, and the longest that eight attempts may take. After that the ledger says what is still in work. */
const patienceMs = 2 * 60_000 + 8 * 15 * 60_000 * timeScale

export async function untilQuiet(
  operator: Operator,
  invoices: readonly RawInvoice[],
  look: (tally: Tally) => void,
): Promise<Ledger> {
  const end = performance.now() + patienceMs
  let before = { open: -1, at: performance.now() }
  for (;;) {
    const ledger = await available(() => readLedger(operator, invoices))
    const tally = tallyOf(ledger)
    look(tally)
    const now = performance.now()
    if (now > end) return ledger
    if (tally.inWork === 0) {
      const open = await available(() => unread(operator))
      if (open !== before.open) before = { open, at: now }
      if (open <= tally.waiting || now - before.at > stillMs) return ledger
    }
    await sleep(lookMs)
  }
}

/** Deliveries that are still to come: events that nobody has read yet, and those that wait for another attempt. */
async function unread(operator: Operator): Promise<number> {
  // Others may share the log: the ward does, beside `npm start`.
  const subscriptions = (await operator.subscriptions()).filter((each) => each.app === app.name)
  return subscriptions.reduce((sum, { lagEvents, retrying }) => sum + lagEvents + retrying, 0)
}

const triesMax = 60

/** Asks again while the database is away, for at most a minute. */
export async function available<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof EventspineError) || error.code !== 'UNAVAILABLE' || tries === triesMax)
        throw error
      await sleep(error.retryAfterMs ?? 1_000)
    }
  }
}
