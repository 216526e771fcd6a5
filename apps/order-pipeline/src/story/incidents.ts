// What each kind of failure led to, read from the run history that is kept of every attempt.
import type { CausalNode, DeliveryView, Eventspine, Operator } from 'eventspine'
import { type PlannedFailure, plannedFailures, simulated } from './failures.js'
import { deadIn, homeIn, type Ledger } from './ledger.js'
import { eventIdOf } from './post.js'

type Kind = Pick<PlannedFailure, 'category' | 'where' | 'story' | 'invoices'>

export interface Incident extends Kind {
  /** Attempts that failed. */
  readonly failed: number
  /** How many of them were followed by another attempt, without anybody's help. */
  readonly retried: number
  /** How many ended in a dead letter. */
  readonly dead: number
  /** The breaker that they opened. */
  readonly breaker: string | null
  /** How many of the invoices came to their proper end all the same. */
  readonly home: number
}

/** The planned ones in the order of the pipeline, then what broke a rule for real. */
export async function readIncidents(spine: Eventspine, ledger: Ledger): Promise<Incident[]> {
  const opened = await openedBreakers(spine)
  const invoices = ruleBreakers(ledger)
  const real: Kind = { category: 'validation', where: 'process', story: 'business rule broken', invoices }
  return Promise.all(
    [...plannedFailures, real].map(async (kind) => ({
      ...(await outcomesOf(spine.operator(), kind)),
      breaker: opensBreakers(kind) ? (opened.get(kind.where) ?? null) : null,
      home: homeIn(ledger, kind.invoices),
    })),
  )
}

const opensBreakers = ({ category }: Kind) => category === 'transient' || category === 'timeout'

async function outcomesOf(operator: Operator, { category, where, story, invoices }: Kind) {
  const deliveries = await Promise.all(invoices.map((invoice) => deliveriesOf(operator, invoice)))
  const outcomes = deliveries
    .flat()
    .filter(({ subscription }) => subscription === where)
    .flatMap(({ runs }) => runs)
    .filter(({ failure }) => failure?.category === category)
    .map(({ outcome }) => outcome)
  const count = (wanted: string) => outcomes.filter((outcome) => outcome === wanted).length
  return {
    category,
    where,
    story,
    invoices,
    failed: outcomes.length,
    retried: count('retry'),
    dead: count('dead'),
  }
}

/** Invoices that are dead without anybody's mischief. */
const ruleBreakers = (ledger: Ledger) =>
  deadIn(ledger)
    .filter(({ reason }) => !reason.includes(simulated))
    .map(({ invoice }) => invoice)

/** Breakers that are open or were, by the subscription that they guard. */
async function openedBreakers(spine: Eventspine): Promise<Map<string, string>> {
  const breakers = await spine.operator().breakers()
  const wasOpen = breakers.filter(({ state, closedForMs }) => state !== 'closed' || closedForMs !== null)
  const opened = new Set(wasOpen.map(({ name }) => name))
  const guarded = spine.app.subscriptions.map(({ name, breaker }) => [name, breaker?.name ?? ''] as const)
  return new Map(guarded.filter(([, breaker]) => opened.has(breaker)))
}

/** All deliveries of an invoice's event and of everything that followed from it. */
async function deliveriesOf(operator: Operator, invoice: string): Promise<readonly DeliveryView[]> {
  const first = await operator.event(eventIdOf(invoice))
  if (first === null) return []
  const ids = idsOf(first.chain)
  const details = await Promise.all(ids.map((id) => operator.event(id)))
  return details.flatMap((each) => each?.deliveries ?? [])
}

const idsOf = ({ event, children }: CausalNode): string[] => [event.id, ...children.flatMap(idsOf)]
