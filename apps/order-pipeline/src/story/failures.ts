// Bad days, on purpose: one of each category, always for the same invoices, so that the story is the same each time.
// The functions know nothing of it: `app.ts` puts it in front of them.
import {
  type Category,
  type Event,
  type HandlerContext,
  PermanentError,
  type Subscription,
  TransientError,
  ValidationError,
} from 'eventspine'

export interface PlannedFailure {
  readonly category: Category
  /** The subscription that it strikes. */
  readonly where: string
  readonly invoices: readonly string[]
  /** What goes wrong, for people. */
  readonly story: string
  /** Strikes so many attempts and then passes by itself. Without it, it stays until somebody mends the cause. */
  readonly attempts?: number
  /** Throws, or never comes back. */
  readonly strike: () => unknown
}

/** Every injected failure carries this in its message: by it an operator finds the dead letters that it left. */
export const simulated = '(simulated)'

const throwing = (make: () => unknown) => () => {
  throw make()
}

export const plannedFailures: readonly PlannedFailure[] = [
  {
    category: 'validation',
    where: 'validate',
    invoices: ['536390', '536392'],
    story: 'new schema too strict',
    strike: throwing(
      () => new ValidationError(`CustomerID has five digits, the new schema wants six ${simulated}`),
    ),
  },
  {
    category: 'permanent',
    where: 'publish',
    invoices: ['536370', '536389'],
    story: 'no queue for country',
    strike: throwing(() => new PermanentError(`the warehouse has no queue for this country ${simulated}`)),
  },
  {
    category: 'transient',
    where: 'publish',
    invoices: ['536376'],
    story: 'queue down for long',
    strike: throwing(() => new TransientError(`connection to the queue refused ${simulated}`)),
  },
  {
    category: 'transient',
    where: 'process',
    invoices: ['536371', '536374', '536378'],
    story: 'database briefly down',
    attempts: 2,
    strike: throwing(() => new TransientError(`connection to the database lost ${simulated}`)),
  },
  {
    category: 'processing',
    where: 'process',
    invoices: ['536385', '536488'],
    story: 'bug in the handler',
    strike: throwing(
      () => new TypeError(`Cannot read properties of undefined (reading 'pence') ${simulated}`),
    ),
  },
  {
    category: 'timeout',
    where: 'events',
    invoices: ['536380', '536382', '536384'],
    story: 'bus does not answer',
    attempts: 1,
    strike: () => new Promise(() => {}),
  },
  {
    category: 'unknown',
    where: 'events',
    invoices: ['536393', '536394'],
    story: 'bus throws a text',
    strike: throwing(() => `the bus says 42 ${simulated}`),
  },
]

/** The switch, and the way in front of a function. */
export class Failures {
  #on: boolean

  constructor(on: boolean) {
    this.#on = on
  }

  /** Mends every cause. What died of it comes home when it is redriven. */
  heal(): void {
    this.#on = false
  }

  /** The same subscription, struck by what is planned for it. */
  inFrontOf(subscription: Subscription): Subscription {
    const { handle, transact } = subscription
    const planned = plannedFailures.filter(({ where }) => where === subscription.name)
    return {
      ...subscription,
      handle:
        handle &&
        (async (event, context) => (await this.#strike(planned, event, context), handle(event, context))),
      transact:
        transact &&
        (async (event, context) => (await this.#strike(planned, event, context), transact(event, context))),
    }
  }

  async #strike(
    planned: readonly PlannedFailure[],
    { subject }: Event,
    { attempt }: HandlerContext,
  ): Promise<void> {
    if (!this.#on) return
    const failure = planned.find(({ invoices }) => invoices.some((invoice) => invoice === subject))
    if (failure !== undefined && attempt <= (failure.attempts ?? Number.POSITIVE_INFINITY))
      await failure.strike()
  }
}
