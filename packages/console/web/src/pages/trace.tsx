// A trace as a waterfall: every event of a correlation, below it its deliveries with each attempt and each wait, and the
// workflows that it started. Bars stand on one scale of time; what they say stands beside them as text.
import { useAnswer } from '../api/asking.js'
import type { Attempt, Trace, TraceEvent } from '../api/views.js'
import { Badge } from '../parts/badge.js'
import { counted, duration } from '../parts/format.js'
import { Empty, Shown } from '../parts/standing.js'
import { Link } from '../route/link.js'

interface Bar {
  readonly kind: 'event' | 'wait' | 'done' | 'retry' | 'dead' | 'workflow'
  readonly fromMs: number
  readonly untilMs: number
  readonly says: string
}

interface Line {
  readonly key: string
  readonly depth: number
  readonly name: string
  readonly href: { readonly to: string; readonly params: Readonly<Record<string, string>> } | undefined
  readonly state: string | undefined
  readonly bars: readonly Bar[]
  /** The last failure. */
  readonly note: string | null
  /** Of a delivery that failed at least once. */
  readonly attempts?: readonly Attempt[]
}

interface WaterfallProps {
  readonly id: string
  readonly tenant: string | undefined
}

export function Waterfall({ id, tenant }: WaterfallProps) {
  const asked = useAnswer<Trace>(`/v1/events/${encodeURIComponent(id)}/trace`, { tenant })
  return <Shown asked={asked}>{(trace) => <Drawn trace={trace} />}</Shown>
}

function Drawn({ trace }: { readonly trace: Trace }) {
  const lines = linesOf(trace.events)
  const moments = lines.flatMap(({ bars }) => bars.flatMap(({ fromMs, untilMs }) => [fromMs, untilMs]))
  if (moments.length === 0) return <Empty title="Nothing is known of this correlation" />
  const fromMs = moments.reduce((least, at) => Math.min(least, at))
  const spanMs = Math.max(1, moments.reduce((most, at) => Math.max(most, at)) - fromMs)
  return (
    <section className="waterfall" aria-label="Trace">
      <p className="faint">
        {counted(trace.events.length, 'event')} over {duration(spanMs)}
        {trace.truncated && '. There is more: the event asked for and the oldest ones are here.'}
      </p>
      <p className="waterfall-scale" aria-hidden="true">
        {scale.map((part) => (
          <span key={part}>{duration(spanMs * part)}</span>
        ))}
      </p>
      <ol>
        {lines.map((line) => (
          <Row key={line.key} line={line} fromMs={fromMs} spanMs={spanMs} />
        ))}
      </ol>
    </section>
  )
}

interface RowProps {
  readonly line: Line
  readonly fromMs: number
  readonly spanMs: number
}

const least = 0.4
/** Where the time is written above the bars. */
const scale = [0, 0.25, 0.5, 0.75, 1]

function Row({ line: { depth, name, href, state, bars, note, attempts }, fromMs, spanMs }: RowProps) {
  const x = (ms: number) => ((ms - fromMs) / spanMs) * 100
  const said = bars.map(({ says }) => says).join('; ')
  return (
    <li>
      <span className="waterfall-name" style={{ paddingLeft: `${depth}rem` }}>
        {href === undefined ? (
          name
        ) : (
          <Link to={href.to} params={href.params}>
            {name}
          </Link>
        )}
        {state !== undefined && <Badge state={state} />}
      </span>
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label={said}>
        <title>{said}</title>
        {bars.map(({ kind, fromMs: from, untilMs }, at) => {
          const width = Math.max(least, x(untilMs) - x(from))
          const key = `${at}`
          return (
            <rect
              key={key}
              className={`bar-${kind}`}
              x={Math.min(x(from), 100 - width)}
              y="1"
              width={width}
              height="8"
            />
          )
        })}
      </svg>
      <span className="waterfall-note">{note ?? (bars.length === 0 ? '' : durationOf(bars))}</span>
      {attempts !== undefined && <Attempts attempts={attempts} />}
    </li>
  )
}

/** What the bars say, to be read without pointing at them. */
function Attempts({ attempts }: { readonly attempts: readonly Attempt[] }) {
  const failed = attempts.filter(({ outcome }) => outcome !== 'done').length
  return (
    <details className="waterfall-attempts">
      <summary>
        {counted(attempts.length, 'attempt')}, {failed === attempts.length ? 'all' : failed} of them failed
      </summary>
      <ol>
        {attempts.map((attempt) => (
          <li key={`${attempt.round}/${attempt.attempt}`}>
            {attempt.round > 0 && `redrive ${attempt.round}, `}
            {saysOf(attempt)}
            <span className="faint">, {duration(attempt.waitedMs)} after what was before it</span>
          </li>
        ))}
      </ol>
    </details>
  )
}

// An event is a moment and lasts for nothing.
const durationOf = (bars: readonly Bar[]) =>
  bars[0]?.kind === 'event' ? '' : duration((bars.at(-1)?.untilMs ?? 0) - (bars[0]?.fromMs ?? 0))

function linesOf(events: readonly TraceEvent[]): Line[] {
  const children = new Map<string | null, TraceEvent[]>()
  const known = new Set(events.map(({ id }) => id))
  for (const event of events) {
    const cause = event.causationId !== null && known.has(event.causationId) ? event.causationId : null
    children.set(cause, [...(children.get(cause) ?? []), event])
  }
  const below = (cause: string | null, depth: number): Line[] =>
    (children.get(cause) ?? []).flatMap((event) => [
      ...linesOfEvent(event, depth),
      ...below(event.id, depth + 1),
    ])
  return below(null, 0)
}

function linesOfEvent({ id, type, recordedAt, deliveries, workflows }: TraceEvent, depth: number): Line[] {
  const atMs = Date.parse(recordedAt)
  const own: Line = {
    ...{ key: id, depth, name: type, href: { to: 'events', params: { id } }, state: undefined, note: null },
    bars: [{ kind: 'event', fromMs: atMs, untilMs: atMs, says: `${type} was recorded` }],
  }
  return [
    own,
    ...deliveries.map(
      (delivery): Line => ({
        key: delivery.id,
        depth: depth + 1,
        name: delivery.subscription,
        href:
          delivery.state === 'dead'
            ? { to: 'dead-letters', params: { letter: delivery.id } }
            : { to: 'subscriptions', params: { name: delivery.subscription } },
        state: delivery.state,
        bars: delivery.attempts.flatMap(barsOf),
        note: delivery.attempts.at(-1)?.message ?? null,
        ...(delivery.attempts.some(({ outcome }) => outcome !== 'done') && { attempts: delivery.attempts }),
      }),
    ),
    ...workflows.map(
      (instance): Line => ({
        key: `${instance.workflow}/${instance.id}`,
        depth: depth + 1,
        name: `${instance.workflow} ${instance.id}`,
        href: { to: 'workflows', params: { workflow: instance.workflow, id: instance.id } },
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

function saysOf({ attempt, outcome, startedAtMs, endedAtMs, message }: Attempt): string {
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
