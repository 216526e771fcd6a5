// A trace as a waterfall: every event of a correlation, below it its deliveries with each attempt and each wait, and the
// workflows that it started. Bars stand on one scale of time; what they say stands beside them as text.
import { useAnswer } from '../api/asking.js'
import type { Attempt, Trace } from '../api/views.js'
import { Badge } from '../parts/badge.js'
import { counted, duration } from '../parts/format.js'
import { Empty, Shown } from '../parts/standing.js'
import { Link } from '../route/link.js'
import { type Bar, type Line, linesOf, saysOf } from './trace-lines.js'
import { Wait } from './wait.js'

interface WaterfallProps {
  readonly id: string
  readonly tenant: string | undefined
}

export function Waterfall({ id, tenant }: WaterfallProps) {
  const asked = useAnswer<Trace>(`/v1/events/${encodeURIComponent(id)}/trace`, { tenant })
  return <Shown asked={asked}>{(trace) => <Drawn trace={trace} nowMs={asked.atMs} />}</Shown>
}

interface DrawnProps {
  readonly trace: Trace
  /** When it was answered. */
  readonly nowMs: number
}

function Drawn({ trace, nowMs }: DrawnProps) {
  const lines = linesOf(trace.events, nowMs)
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

function Row({ line, fromMs, spanMs }: RowProps) {
  const { depth, name, href, state, bars, note, wait, attempts } = line
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
      <Bars {...{ bars, fromMs, spanMs }} />
      <span className="waterfall-note">{note ?? (bars.length === 0 ? '' : durationOf(bars))}</span>
      {wait !== undefined && (
        <p className="waterfall-wait">
          Waits: <Wait for={wait} subscription={name} />
        </p>
      )}
      {attempts !== undefined && <Attempts attempts={attempts} />}
    </li>
  )
}

interface BarsProps extends Omit<RowProps, 'line'> {
  readonly bars: readonly Bar[]
}

/** A delivery that has just begun has none: then there is no picture that would have to say something. */
function Bars({ bars, fromMs, spanMs }: BarsProps) {
  if (bars.length === 0) return <span />
  const x = (ms: number) => ((ms - fromMs) / spanMs) * 100
  const said = bars.map(({ says }) => says).join('; ')
  return (
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
