// Third of five. Lets each invoice through once, however often it was sent:
//   NEW        never seen: claim it and go on
//   INFLIGHT   somebody has it in work: look again when their lease has run out
//   RETRY      the lease ran out and nobody finished: claim it again, so that INFLIGHT never sticks
//   SUCCEEDED  done before: nothing to do
import { defineSubscription, type Transaction, TransientError } from 'eventspine'
import { invoiceAccepted, processingRequested } from '../events.js'
import { idempotencyLeaseMs, queueClass } from '../policies.js'

export type Verdict = 'NEW' | 'RETRY' | 'INFLIGHT' | 'SUCCEEDED'

export const idempotency = defineSubscription({
  name: 'idempotency',
  description: 'Lets each invoice through once, by its content, under a lease.',
  on: invoiceAccepted,
  ...queueClass,
  // Claim and event commit together: there is no claim without its event and no event without its claim.
  async transact({ data }, context) {
    const verdict = await claim(context.tx, data.idempotencyKey, data.invoice.number)
    context.log.info('claimed', { invoice: data.invoice.number, verdict })
    if (verdict === 'INFLIGHT') {
      throw new TransientError(`invoice ${data.invoice.number} is in work`, {
        retryAfterMs: idempotencyLeaseMs,
      })
    }
    if (verdict !== 'SUCCEEDED') await context.publish(processingRequested, data)
  },
})

/** Asks three questions, the most likely first; row locks make two askers take turns. */
export async function claim(tx: Transaction, key: string, invoice: string): Promise<Verdict> {
  const created = await tx.query(
    `INSERT INTO orders.idempotency (key, invoice, state, leased_until)
     VALUES ($1, $2, 'INFLIGHT', clock_timestamp() + $3 * interval '1 ms') ON CONFLICT DO NOTHING`,
    [key, invoice, idempotencyLeaseMs],
  )
  if (created.rowCount === 1) return 'NEW'
  const reclaimed = await tx.query(
    `UPDATE orders.idempotency SET claims = claims + 1, leased_until = clock_timestamp() + $2 * interval '1 ms'
     WHERE key = $1 AND state = 'INFLIGHT' AND leased_until <= clock_timestamp()`,
    [key, idempotencyLeaseMs],
  )
  if (reclaimed.rowCount === 1) return 'RETRY'
  const { rows } = await tx.query<{ state: Verdict }>('SELECT state FROM orders.idempotency WHERE key = $1', [
    key,
  ])
  return rows[0]?.state ?? 'INFLIGHT'
}

/** True when it was in work: the caller ends it, once, and its effects commit with this or not at all. */
export async function succeed(tx: Transaction, key: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `UPDATE orders.idempotency SET state = 'SUCCEEDED' WHERE key = $1 AND state = 'INFLIGHT'`,
    [key],
  )
  return rowCount === 1
}
