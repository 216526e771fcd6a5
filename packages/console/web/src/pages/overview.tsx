// The overview: is it healthy, in one glance, and where to look when it is not. It follows what happens, once a second.
import { type ReactNode, useState } from 'react'
import { refreshMs, useAnswer } from '../api/asking.js'
import { type Followed, useFollowing } from '../api/following.js'
import type { Figures, Overview as OverviewView } from '../api/system-views.js'
import { Badge } from '../parts/badge.js'
import { Line } from '../parts/chart.js'
import { DeadLetters } from '../parts/dead-letters.js'
import { behind, count, duration, perSecond, seconds } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Moment, useNow } from '../parts/moment.js'
import { NotFollowed } from '../parts/not-followed.js'
import { type Column, Rows } from '../parts/rows.js'
import { Empty, Shown } from '../parts/standing.js'
import { Link } from '../route/link.js'
import type { Params } from '../route/place.js'
import { countedFindings, Findings } from './findings.js'

const historyMs = 30_000
/** They come once a second. */
const oldMsMin = 5_000

export function Overview() {
  const live = useLiveFigures()
  // Without the stream the figures are asked for as those of any other page.
  const asked = useAnswer<OverviewView>('/v1/overview', {}, isOpen(live) ? historyMs : refreshMs)
  return (
    <>
      <Heading title="Overview" />
      <Shown asked={asked}>
        {(overview) => {
          const newest = newestOf({ figures: overview, atMs: asked.atMs }, live.came)
          return <Drawn {...newest} live={live} history={overview.history} since={overview.since} />
        }}
      </Shown>
    </>
  )
}

interface Came {
  readonly figures: Figures
  /** By the clock of the browser. */
  readonly atMs: number
}

interface Live {
  /** The newest that the stream brought. */
  readonly came: Came | undefined
  /** The server said that it cannot read them, and has brought none since. */
  readonly unreadable: boolean
  readonly followed: Followed
}

function useLiveFigures(): Live {
  const [came, setCame] = useState<Came>()
  const [unreadable, setUnreadable] = useState(false)
  const followed = useFollowing('/v1/overview/live', {}, ({ type, data }) => {
    setUnreadable(type === 'unreadable')
    if (type === 'message') setCame({ figures: JSON.parse(data) as Figures, atMs: Date.now() })
  })
  return { came, unreadable, followed }
}

const isOpen = ({ followed }: Live) => followed.following.state === 'open'

const newestOf = (asked: Came, live: Came | undefined) =>
  live === undefined || live.atMs < asked.atMs ? asked : live

interface DrawnProps extends Came {
  readonly live: Live
  readonly history: OverviewView['history']
  readonly since: string | null
}

function Drawn({ figures, atMs, live, history, since }: DrawnProps) {
  return (
    <>
      <NotFollowed what="The figures of now" followed={live.followed} />
      <Verdict {...{ figures, atMs, live }} />
      <Tiles {...{ figures, history }} />
      <p className="faint">
        {since === null ? (
          'The history has just begun.'
        ) : (
          <>
            Drawn since <Moment at={since} />, one point for 30 s: this server keeps an hour in its memory,
            and begins anew when it starts.
          </>
        )}
      </p>
      <Findings findings={figures.findings} />
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

/** The library counts no further. */
const awaitingMax = 10_000
const awaiting = (instances: number) => `${count(instances)}${instances < awaitingMax ? '' : '+'}`

type TilesProps = Pick<DrawnProps, 'figures' | 'history'>

function Tiles({ figures, history }: TilesProps) {
  const lagSeconds = Math.max(0, ...figures.subscriptions.map((each) => each.lagSeconds))
  const { total, byCategory } = figures.deadLetters
  const points = <Name extends 'in' | 'out' | 'lagSeconds' | 'dead'>(name: Name) =>
    history.map((point) => point[name])
  return (
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
        name="Approvals"
        value={awaiting(figures.awaitingApproval)}
        to="workflows"
        params={{ state: 'awaiting-approval' }}
      >
        <p className="faint">{figures.awaitingApproval === 0 ? 'no workflow asks' : 'asked by workflows'}</p>
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
  )
}

const verdicts = {
  healthy: 'All is well',
  warning: 'Something needs a look',
  critical: 'Something is wrong',
} as const

type VerdictProps = Came & { readonly live: Live }

function Verdict({ figures: { verdict, findings }, atMs, live }: VerdictProps) {
  const old = useNow() - atMs > oldMsMin
  return (
    <section className={`verdict verdict-${old ? 'warning' : verdict}`} aria-label="Verdict">
      <p role="status">
        {old ? (
          <>
            <Badge state="old" tone="warn" /> <strong>These figures are old</strong> {whyOld(live)}
          </>
        ) : (
          <>
            <Badge state={verdict} /> <strong>{verdicts[verdict]}</strong> {countedFindings(findings)}
          </>
        )}
      </p>
      {old && (
        <p>
          They came <Moment at={atMs} />, and what has happened since is not known. They are asked for again
          by themselves.
        </p>
      )}
    </section>
  )
}

function whyOld(live: Live): string {
  if (live.unreadable) return 'The server cannot read its database.'
  return isOpen(live) ? 'The server sends none.' : 'The server cannot be asked.'
}

interface TileProps {
  readonly name: string
  readonly value: string
  readonly to?: string
  readonly params?: Params
  readonly bad?: boolean
  readonly children: ReactNode
}

function Tile({ name, value, to, params = {}, bad = false, children }: TileProps) {
  return (
    <section className={bad ? 'tile tile-bad' : 'tile'} aria-label={name}>
      <h2>{to === undefined ? name : <Link {...{ to, params }}>{name}</Link>}</h2>
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
  { name: 'Behind', kind: 'wide number', cell: behind },
  { name: 'Rate', kind: 'wide number', cell: (each) => perSecond(each.perSecond) },
  { name: 'Retrying', kind: 'wide number', cell: ({ retrying }) => count(retrying) },
  { name: 'Dead', kind: 'number', cell: (each) => <DeadLetters of={each} /> },
]
