// The lines of a waterfall: each event of a trace, behind it what came of it, each with the bars that stand for its time.
import type { Attempt, DeliveryWait, TraceEvent } from '../api/views.js'
import { duration } from '../parts/format.js'

export interface Bar {
  readonly kind: 'event' | 'wait' | 'done' | 'retry' | 'dead' | 'workflow'
  readonly fromMs: number
  readonly untilMs: number
  readonly says: string
}

export interface Line {
  readonly key: string
  readonly depth: number
  readonly name: string
  readonly href: { readonly to: string; readonly params: Readonly<Record<string, string>> } | undefined
  readonly state: string | undefined
  readonly bars: readonly Bar[]
  /** The last failure. */
  readonly note: string | null
  /** Of a delivery that does not run now. */
  readonly wait?: DeliveryWait
  /** Of a delivery that failed at least once. */
  readonly attempts?: readonly Attempt[]
}

/** `nowMs`: until when what waits has waited. */
export function linesOf(events: readonly TraceEvent[], nowMs: number): Line[] {
  const children = new Map<string | null, TraceEvent[]>()
  const known = new Set(events.map(({ id }) => id))
  for (const event of events) {
    const cause = event.causationId !== null && known.has(event.causationId) ? event.causationId : null
    children.set(cause, [...(children.get(cause) ?? []), event])
  }
  const below = (cause: string | null, depth: number): Line[] =>
    (children.get(cause) ?? []).flatMap((event) => [
      ...linesOfEvent(event, depth, nowMs),
      ...below(event.id, depth + 1),
    ])
  return below(null, 0)
}

function linesOfEvent(event: TraceEvent, depth: number, nowMs: number): Line[] {
  const { id, tenant, type, recordedAt, deliveries, workflows } = event
  const atMs = Date.parse(recordedAt)
  const own: Line = {
    ...{
      key: id,
      depth,
      name: type,
      href: { to: 'events', params: { id, tenant } },
      state: undefined,
      note: null,
    },
    bars: [{ kind: 'event', fromMs: atMs, untilMs: atMs, says: `${type} was recorded` }],
  }
  return [
    own,
    ...deliveries.map(
      (delivery): Line => ({
        key: delivery.id,
        depth: depth + 1,
        name: delivery.subscription,
        href: placeOfDelivery(delivery),
        state: delivery.state,
        bars: [...delivery.attempts.flatMap(barsOf), ...openWait(delivery, atMs, nowMs)],
        note: delivery.attempts.at(-1)?.message ?? null,
        ...(delivery.wait !== null && { wait: delivery.wait }),
        ...(delivery.attempts.some(({ outcome }) => outcome !== 'done') && { attempts: delivery.attempts }),
      }),
    ),
    ...workflows.map(
      (instance): Line => ({
        key: `${instance.workflow}/${instance.id}`,
        depth: depth + 1,
        name: `${instance.workflow} ${instance.id}`,
        href: { to: 'workflows', params: { workflow: instance.workflow, id: instance.id, tenant } },
        state: instance.state,
        bars: [
          {
            kind: 'workflow',
            fromMs: instance.startedAtMs,
            untilMs: instance.endedAtMs ?? instance.entries.at(-1)?.atMs ?? instance.startedAtMs,
            says: `${instance.workflow} ${instance.id} is ${instance.state}`,
          },
        ],
        note: null,
      }),
    ),
  ]
}

export function saysOf({ attempt, outcome, startedAtMs, endedAtMs, message }: Attempt): string {
  const says = `attempt ${attempt}: ${outcome} after ${duration(endedAtMs - startedAtMs)}`
  return message === null ? says : `${says}: ${message}`
}

function barsOf(attempt: Attempt): Bar[] {
  const { outcome, startedAtMs, endedAtMs, waitedMs } = attempt
  const kind = outcome === 'done' || outcome === 'dead' ? outcome : 'retry'
  return [
    {
      kind: 'wait',
      fromMs: startedAtMs - waitedMs,
      untilMs: startedAtMs,
      says: `waited ${duration(waitedMs)}`,
    },
    { kind, fromMs: startedAtMs, untilMs: endedAtMs, says: saysOf(attempt) },
  ]
}

type Delivery = TraceEvent['deliveries'][number]

const lettered: readonly Delivery['state'][] = ['dead', 'redriving', 'redriven', 'discarded']

/** To its dead letter, where it has one, whatever became of that; else to its subscription. */
export const placeOfDelivery = ({
  id,
  subscription,
  state,
}: Pick<Delivery, 'id' | 'subscription' | 'state'>) =>
  lettered.includes(state)
    ? { to: 'dead-letters', params: { letter: id } }
    : { to: 'subscriptions', params: { name: subscription } }

/** From the end of its last attempt until now. */
function openWait({ wait, attempts }: Delivery, recordedAtMs: number, nowMs: number): Bar[] {
  if (wait === null) return []
  const fromMs = attempts.at(-1)?.endedAtMs ?? recordedAtMs
  const untilMs = Math.max(fromMs, nowMs)
  return [
    { kind: 'wait', fromMs, untilMs, says: `waits for ${duration(untilMs - fromMs)}: ${saysWait(wait)}` },
  ]
}

function saysWait(wait: DeliveryWait): string {
  if (wait.kind === 'breaker') return `breaker ${wait.breaker} is open`
  return waits[wait.kind]
}

const waits: Readonly<Record<Exclude<DeliveryWait['kind'], 'breaker'>, string>> = {
  paused: 'its subscription is paused',
  letter: 'an earlier event of its key is dead',
  key: 'an earlier event of its key is not through',
  retry: 'its next attempt is not due yet',
  worker: 'no worker holds its subscription',
  turn: 'others are before it',
}
