// What `npm start` does, step by step: post the invoices, wait, mend what was broken on purpose, redrive, count.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Eventspine, Operator, Redrive } from 'eventspine'
import { failures } from '../app.js'
import { invoiceAccepted, invoiceReceived, processingRequested } from '../events.js'
import { type RawInvoice, readInvoices } from '../invoices.js'
import { simulated } from './failures.js'
import { type Incident, readIncidents } from './incidents.js'
import {
  all,
  type DeadInvoice,
  deadIn,
  type Tally,
  tallyOf,
  type WaitingInvoice,
  waitingIn,
} from './ledger.js'
import { type Api, eventIdOf, postInvoice } from './post.js'
import { available, untilQuiet } from './quiet.js'

/** How it stood when everything was quiet for the first time. Money is in pence. */
export interface FirstPass {
  readonly invoices: number
  readonly lines: number
  /** So many of the invoices were in the log before this run. */
  readonly known: number
  /** So many came again under another id and were recognised by their content. */
  readonly repeats: number
  readonly tally: Tally
  readonly waiting: readonly WaitingInvoice[]
}

/** All that there is to tell, and what `--json` prints. */
export interface Story {
  readonly firstPass: FirstPass
  readonly incidents: readonly Incident[]
  readonly redrive: Redrive | null
  readonly tally: Tally
  readonly dead: readonly DeadInvoice[]
}

/** Hears of each step while it happens. */
export interface Listener {
  posting(done: number, total: number): void
  working(tally: Tally): void
  settled(firstPass: FirstPass): void
  redriving(redrive: Redrive): void
}

export async function live(spine: Eventspine, api: Api, listener: Listener): Promise<Story> {
  const operator = spine.operator()
  const invoices = await readInvoices()
  const known = (await eventsOf(operator, invoiceReceived.type)).map(({ subject }) => subject)
  await post(api, invoices, listener)
  const before = await untilQuiet(operator, invoices, (tally) => listener.working(tally))
  const firstPass = {
    invoices: invoices.length,
    lines: invoices.flatMap(({ lines }) => lines).length,
    known: invoices.filter(({ InvoiceNo }) => known.includes(InvoiceNo)).length,
    repeats: await repeatsIn(operator),
    tally: tallyOf(before),
    waiting: waitingIn(before),
  }
  listener.settled(firstPass)

  failures.heal()
  const redrive = await redriveSimulated(operator, listener)
  const after = await untilQuiet(operator, invoices, (tally) => listener.working(tally))
  return {
    firstPass,
    incidents: await readIncidents(spine, after),
    redrive,
    tally: tallyOf(after),
    dead: deadIn(after),
  }
}

const eventsOf = (operator: Operator, type: string) => all((page) => operator.events({ type, ...page }))

/** What `idempotency` took and did not let through. */
async function repeatsIn(operator: Operator): Promise<number> {
  const accepted = await eventsOf(operator, invoiceAccepted.type)
  const requested = await eventsOf(operator, processingRequested.type)
  return accepted.length - requested.length
}

/** An impatient client sends these again, under an id of its own. */
const sentAgain = 3

async function post(api: Api, invoices: readonly RawInvoice[], listener: Listener): Promise<void> {
  const posts = [
    ...invoices.map((invoice) => ({ id: eventIdOf(invoice.InvoiceNo), invoice })),
    ...invoices
      .slice(0, sentAgain)
      .map((invoice) => ({ id: `${eventIdOf(invoice.InvoiceNo)}-again`, invoice })),
  ]
  // One after the other, since the order of the shop matters: a cancellation comes behind its order.
  for (const [index, { id, invoice }] of posts.entries()) {
    await postInvoice(api, id, invoice)
    listener.posting(index + 1, posts.length)
  }
}

/** Sends what died of a simulated cause, and only that. Answers null when there is nothing to send. */
async function redriveSimulated(operator: Operator, listener: Listener): Promise<Redrive | null> {
  const filter = { error: simulated }
  const { selected } = await operator.previewRedrive(filter)
  if (selected === 0) return null
  const request = { filter, canary: 3, actor: 'order-pipeline', reason: 'the causes are mended' }
  return untilEnded(operator, await operator.redrive(request), listener)
}

const looksMax = 1_200
const lookMs = 100

async function untilEnded(operator: Operator, started: Redrive, listener: Listener): Promise<Redrive> {
  let redrive = started
  for (let looks = 0; looks < looksMax && redrive.endedAtMs === null; looks += 1) {
    listener.redriving(redrive)
    await sleep(lookMs)
    redrive = (await available(() => operator.redriveStatus(started.id))) ?? redrive
  }
  return redrive
}
