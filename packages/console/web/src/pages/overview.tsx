// The overview: is it healthy, in one glance, and where to look when it is not. It follows what happens, once a second.
import { type ReactNode, useEffect, useState } from 'react'
import { useAnswer } from '../api/asking.js'
import type { Figures, Finding, Overview as OverviewView } from '../api/system-views.js'
import { Badge } from '../parts/badge.js'
import { Line } from '../parts/chart.js'
import { count, counted, duration, perSecond, seconds } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { type Column, Rows } from '../parts/rows.js'
import { Empty, Shown } from '../parts/standing.js'
import { Link } from '../route/link.js'

const historyMs = 30_000

export function Overview() {
  const asked = useAnswer<OverviewView>('/v1/overview', {}, historyMs)
  const live = useFigures(asked.data !== undefined)
  return (
    <>
      <Heading title="Overview" />
      <Shown asked={asked}>
        {(overview) => <Drawn figures={live ?? overview} history={overview.history} since={overview.since} />}
      </Shown>
    </>
  )
}

/** The newest figures that came; undefined before the first. */
function useFigures(wanted: boolean): Figures | undefined {
  const [figures, setFigures] = useState<Figures>()
  useEffect(() => {
    if (!wanted) return
    const stream = new EventSource('/v1/overview/live')
    stream.addEventListener('message', ({ data }: MessageEvent<string>) =>
      setFigures(JSON.parse(data) as Figures),
    )
    return () => stream.close()
  }, [wanted])
  return figures
}

interface DrawnProps {
  readonly figures: Figures
  readonly history: OverviewView['history']
  readonly since: string | null
}

function Drawn({ figures, history, since }: DrawnProps) {
  const lagSeconds = Math.max(0, ...figures.subscriptions.map((each) => each.lagSeconds))
  const { total, byCategory } = figures.deadLetters
  const points = <Name extends 'in' | 'out' | 'lagSeconds' | 'dead'>(name: Name) =>
    history.map((point) => point[name])
  return (
    <>
      <Verdict verdict={figures.verdict} findings={figures.findings} />
      <div className="tiles">
        <Tile name="Events in" value={perSecond(figures.in)}>
          <Line label="Events in" values={points('in')} say={perSecond} />
        </Tile>
        <Tile name="Deliveries out" value={perSecond(figures.out)}>
          <Line label="Deliveries out" values={points('out')} say={perSecond} />
        </Tile>
        <Tile name="Furthest behind" value={seconds(lagSeconds)} to="subscriptions">
          <Line label="Lag" values={points('lagSeconds')} say={seconds} />
        </Tile>
        <Tile name="Dead letters" value={count(total)} to="dead-letters" bad={total > 0}>
          {byCategory.length === 0 ? (
            <Line label="Dead letters" values={points('dead')} say={count} />
          ) : (
            <p className="faint">
              {byCategory.map((each) => `${count(each.count)} ${each.category}`).join(' · ')}
            </p>
          )}
        </Tile>
        <Tile
          name="Open breakers"
          value={count(figures.breakers.open)}
          to="breakers"
          bad={figures.breakers.open > 0}
        >
          <p className="faint">{count(figures.breakers.halfOpen)} half-open</p>
        </Tile>
        <Tile name="Workers" value={count(figures.workers)} to="workers" bad={figures.workers === 0}>
          <p className="faint">
            {figures.oldestTransactionMs === null
              ? 'no old transaction'
              : `oldest transaction ${duration(figures.oldestTransactionMs)}`}
          </p>
        </Tile>
      </div>
      <p className="faint">
        {since === null ? (
          'The history has just begun.'
        ) : (
          <>
            Drawn since <Moment at={since} />, one point for 30 s.
          </>
        )}
      </p>
      <h2>Subscriptions</h2>
      {figures.subscriptions.length === 0 ? (
        <Empty title="No subscription yet">defineSubscription() in your app makes one.</Empty>
      ) : (
        <Rows
          caption="Subscriptions now"
          columns={columns}
          items={figures.subscriptions}
          keyOf={({ name }) => name}
        />
      )}
    </>
  )
}

const verdicts = {
  healthy: 'All is well',
  warning: 'Something needs a look',
  critical: 'Something is wrong',
} as const

function Verdict({ verdict, findings }: Pick<Figures, 'verdict' | 'findings'>) {
  return (
    <section className={`verdict verdict-${verdict}`} aria-label="Verdict">
      <p role="status">
        <Badge state={verdict} /> <strong>{verdicts[verdict]}</strong>
      </p>
      {findings.length > 0 && (
        <ul className="plain">
          {findings.map((finding) => (
            <One key={`${finding.subject} ${finding.message}`} finding={finding} />
          ))}
        </ul>
      )}
    </section>
  )
}

const One = ({ finding: { severity, subject, message, advice } }: { readonly finding: Finding }) => (
  <li>
    <Badge state={severity} /> <strong>{subject}</strong> {message} <span className="faint">{advice}</span>
  </li>
)

interface TileProps {
  readonly name: string
  readonly value: string
  readonly to?: string
  readonly bad?: boolean
  readonly children: ReactNode
}

function Tile({ name, value, to, bad = false, children }: TileProps) {
  return (
    <section className={bad ? 'tile tile-bad' : 'tile'} aria-label={name}>
      <h2>{to === undefined ? name : <Link to={to}>{name}</Link>}</h2>
      <p className="tile-value">{value}</p>
      {children}
    </section>
  )
}

const columns: readonly Column<Figures['subscriptions'][number]>[] = [
  {
    name: 'Subscription',
    cell: ({ name }) => (
      <Link to="subscriptions" params={{ name }}>
        {name}
      </Link>
    ),
  },
  { name: 'State', cell: ({ state }) => <Badge state={state} /> },
  { name: 'Lag', kind: 'number', cell: ({ lagSeconds }) => seconds(lagSeconds) },
  { name: 'Behind', kind: 'wide number', cell: ({ lagEvents }) => counted(lagEvents, 'event') },
  { name: 'Rate', kind: 'wide number', cell: (each) => perSecond(each.perSecond) },
  { name: 'Retrying', kind: 'wide number', cell: ({ retrying }) => count(retrying) },
  { name: 'Dead', kind: 'number', cell: ({ dead }) => count(dead) },
]
