// One attempt under way: from the event to its outcome, whatever the handler does. Written without promises of its own
// where none are needed: at a handler that ends at once the engine's own work is what an event costs (decision 8).
import type { Event } from '../event/event.js'
import { deliveryId } from '../event/index.js'
import type { NewEvent } from '../event/stored.js'
import { Cancellation } from '../kernel/index.js'
import { type HandleSpan, startHandleSpan } from '../observe/trace.js'
import { TimeoutError, ValidationError } from './category.js'
import { type BatchSeat, Context, type Seat, type Underway } from './context.js'
import type { Timed } from './deadlines.js'
import { AbandonedError, NewerVersionError, type Outcome, outcomes } from './outcome.js'
import { Publications } from './publications.js'
import type { Attempt, ExecutionServices, Shown } from './runner.js'

export class Execution implements Timed, Underway {
  readonly #attempt: Attempt
  readonly #services: ExecutionServices
  readonly #done: (outcome: Outcome) => void
  readonly #id: string
  readonly #span: HandleSpan
  #publications: Publications | undefined
  #ended = false
  /** What the handler's signal shows: the deadline as well as a lost lease. */
  readonly cancellation = new Cancellation()
  expiresAt = 0
  before: Timed | undefined = undefined
  after: Timed | undefined = undefined

  constructor(attempt: Attempt, services: ExecutionServices, done: (outcome: Outcome) => void) {
    const { item, lease, subscription } = attempt
    const { event } = item
    this.#attempt = attempt
    this.#services = services
    this.#done = done
    this.#id = deliveryId(subscription.name, lease.replay, event.epoch, event.seq)
    this.#span = startHandleSpan(event, subscription.name, this.#id, item.attempt, services.random)
  }

  // Body, schema and publishing stand under the deadline, too: one of them that hangs would stop its place for ever.
  start(): void {
    this.#services.deadlines.add(this, this.#attempt.subscription.deadlineMs)
    this.#attempt.item.cancellation.listen(() => this.#abandon())
    if (this.#ended) return
    try {
      const { item, subscription } = this.#attempt
      const read = subscription.reads?.get(item.event.type)
      const shown = this.#services.show(item.event, this.cancellation, read)
      if (shown instanceof Promise) this.#follow(shown, (later) => this.#handle(later))
      else this.#handle(shown)
    } catch (error) {
      // Not before this returns: whoever starts attempts in a loop would start the next inside of this one.
      queueMicrotask(() => this.#fail(error))
    }
  }

  #follow<Result>(promise: Promise<Result>, go: (result: Result) => void): void {
    promise
      .then((result) => (this.#ended ? undefined : go(result)))
      .catch((error: unknown) => this.#fail(error))
  }

  #handle(shown: Shown): void {
    if (!shown.ok) throw undecodable(shown, this.#ageMs)
    const { clock } = this.#services
    const began = clock.monotonic()
    const answer = this.#call(shown.event)
    const late = clock.monotonic() - began >= this.#attempt.subscription.deadlineMs
    // A late one as well: what it rejects afterwards and nobody takes would end the process.
    if (answer instanceof Promise) this.#await(answer)
    else if (isThenable(answer)) this.#await(Promise.resolve(answer))
    else queueMicrotask(() => this.#collect())
    // It blocked the event loop past its deadline, and so the timer. Only its own block is held against it: neighbours
    // that end late because of it have done nothing wrong.
    if (late) this.expire()
  }

  #await(answer: Promise<unknown>): void {
    if (this.#attempt.subscription.workflow === undefined) this.#services.clock.hold?.(answer)
    this.#follow(answer, () => this.#collect())
  }

  get #ageMs(): number {
    return this.#services.clock.now() - this.#attempt.item.event.recordedAtMs
  }

  #call(event: Event): unknown {
    const { subscription, transaction, lease } = this.#attempt
    const context = new Context(this.#attempt, this.#id, this, this.#services.logger)
    return this.#span.within(() => {
      if (transaction !== undefined) {
        const own = Object.assign(context, { tx: this.publications.guarded(transaction) })
        if ('join' in transaction) return (transaction as BatchSeat).join({ event, context: own })
        return subscription.transact?.(event, own)
      }
      if (subscription.source !== undefined)
        return this.#services.retranslate(subscription.source, event, context)
      if (subscription.webhooks !== undefined)
        return this.#services.sendWebhook(subscription.webhooks, event, context)
      if (subscription.workflow !== undefined) {
        const { cancellation } = this
        const { recordedAtMs } = this.#attempt.item.event
        const { keys, item } = this.#attempt
        const isBehind = (type: string) => keys?.isBehind(item, type) === true
        const isSuspect = item.deaths > 0
        const drive = { event, recordedAtMs, context, grant: lease, cancellation, isSuspect, isBehind }
        return this.#services.drive(subscription.workflow, drive)
      }
      return subscription.handle?.(event, context)
    })
  }

  /** Made for the few handlers that publish; one that comes too late finds it closed. */
  get publications(): Publications {
    this.#publications ??= new Publications(this.#attempt, this.#span.traceparent, this.#services)
    if (this.#ended) this.#publications.end()
    return this.#publications
  }

  #collect(): void {
    if (this.#publications === undefined) return this.#end(doneQuietly)
    this.#publications.close()
    this.#follow(this.#publications.collect(), (published) => this.#succeed(published))
  }

  // A replay runs one handler again, and no other: what it publishes was published before.
  #succeed(published: readonly NewEvent[]): void {
    this.#end(this.#attempt.lease.replay === '' ? { kind: 'done', published } : doneQuietly)
  }

  /** The deadline passed. What the handler does afterwards is ignored; its signal has told it. */
  expire(): void {
    const error = new TimeoutError(
      `The handler did not end within its deadline of ${this.#attempt.subscription.deadlineMs} ms`,
    )
    this.#fail(error)
    this.cancellation.cancel(error)
  }

  #abandon(): void {
    this.#end({ kind: 'abandoned' })
    this.cancellation.cancel(this.#attempt.item.cancellation.reason)
  }

  get #seat(): Seat | undefined {
    const { transaction } = this.#attempt
    return transaction !== undefined && 'postpone' in transaction ? (transaction as Seat) : undefined
  }

  #fail(error: unknown): void {
    if (this.#seat?.gaveUp() === true && AbandonedError.is(error)) return this.#end({ kind: 'abandoned' })
    const { item, subscription } = this.#attempt
    const judge = this.#publications?.interrupted === true ? outcomes.interrupted : outcomes.failed
    this.#end(judge(error, item.attempt, subscription.retry, this.#services.random))
  }

  #end(outcome: Outcome): void {
    if (this.#ended) return
    this.#ended = true
    const { item, subscription } = this.#attempt
    this.#services.deadlines.remove(this, subscription.deadlineMs)
    item.cancellation.release()
    this.#publications?.end()
    let final = outcome
    try {
      if (this.#seat === undefined || outcome.kind === 'done') this.#report(outcome)
      else this.#seat.postpone((each) => this.#reportQuietly(each))
    } catch (error) {
      // Something around the handler failed, a logger of the user's say. It must not take the process with it.
      final = outcomes.failed(error, item.attempt, subscription.retry, this.#services.random)
    }
    this.#done(final)
  }

  // Too late for the outcome to be another.
  #reportQuietly(outcome: Outcome): void {
    try {
      this.#report(outcome)
    } catch {}
  }

  #report(outcome: Outcome): void {
    if (outcome.kind === 'done' || outcome.kind === 'abandoned') return this.#span.end(outcome.kind)
    const { item, subscription } = this.#attempt
    const { event, attempt } = item
    const { category, message, name } = outcome.failure
    this.#span.end(outcome.kind, category, message)
    const level = outcome.kind === 'dead' ? 'error' : 'warn'
    this.#services.logger[level](outcome.kind === 'dead' ? 'delivery is dead' : 'delivery will be retried', {
      subscription: subscription.name,
      delivery: this.#id,
      event: event.id,
      type: event.type,
      tenant: event.tenant,
      correlation: event.correlationId,
      attempt,
      category,
      error: `${name}: ${message}`,
    })
  }
}

const doneQuietly: Outcome = Object.freeze({ kind: 'done', published: Object.freeze([]) })

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

// Without a stack: it would show the insides of the engine to whoever reads the dead letter, and nothing of the user's.
export function undecodable(shown: Shown & { readonly ok: false }, ageMs: number): Error {
  const error = shown.newer ? new NewerVersionError(shown.message, ageMs) : new ValidationError(shown.message)
  delete error.stack
  return error
}
