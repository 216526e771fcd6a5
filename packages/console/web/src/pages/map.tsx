// The map: what publishes what and who listens, as the app says and as the newest events show. Every part leads to its page.
import { type CSSProperties, useMemo } from 'react'
import { useAnswer } from '../api/asking.js'
import type { MapEdge, MapNode, SystemMap } from '../api/system-views.js'
import { Badge } from '../parts/badge.js'
import { count, counted, duration, perSecond, seconds } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { type Column, Rows } from '../parts/rows.js'
import { Empty, Shown } from '../parts/standing.js'
import { Link } from '../route/link.js'
import { placeOf } from '../route/node-place.js'
import { choose, usePlace } from '../route/place.js'
import { appsOf, mapOfApp } from './map-apps.js'
import { type Drawn, lagSecondsShown, nodeHeight, type Placed } from './map-drawing.js'
import { layoutOf, standingOf } from './map-layout.js'
import { inShares } from './map-shares.js'

const everyMs = 5_000

// At first it is seen as a whole. How it is looked at stands in the address.
export function SystemMapPage() {
  const asked = useAnswer<SystemMap>('/v1/map', {}, everyMs)
  const { params } = usePlace()
  const scale = scaleOf(params.get('size'))
  const app = params.get('app') ?? undefined
  return (
    <>
      <Heading title="Map">
        <Zoom scale={scale} />
        <Link to="map" params={{ app, size: scale === undefined ? 'full' : undefined }}>
          {scale === undefined ? 'Full size' : 'Fit to the page'}
        </Link>
      </Heading>
      <Shown asked={asked}>
        {(map) =>
          map.nodes.length === 0 ? (
            <Empty title="There is nothing to draw yet">
              Define an event and a subscription in your app.
            </Empty>
          ) : (
            <OfApps {...{ map, scale, app }} />
          )
        }
      </Shown>
    </>
  )
}

const scaleMin = 0.1
const scaleMax = 4
const step = 1.25

/** Undefined: as large as it fits to the page. */
function scaleOf(size: string | null): number | undefined {
  if (size === null) return undefined
  const scale = size === 'full' ? 1 : Number(size)
  return Number.isFinite(scale) ? Math.min(scaleMax, Math.max(scaleMin, scale)) : undefined
}

const seenAt = ({ clientWidth, clientHeight, viewBox: { baseVal } }: SVGSVGElement) =>
  Math.min(clientWidth / baseVal.width, clientHeight / baseVal.height)

/** From the size at which it is seen, which where it fits only the page knows. */
function Zoom({ scale }: { readonly scale: number | undefined }) {
  const by = (factor: number) => {
    const drawing = document.querySelector<SVGSVGElement>('.map svg')
    const now = scale ?? (drawing === null ? 1 : seenAt(drawing))
    choose({ size: String(Math.round(now * factor * 100) / 100) }, { replace: scale !== undefined })
  }
  return (
    <>
      <button type="button" onClick={() => by(1 / step)} aria-label="Smaller">
        −
      </button>
      <button type="button" onClick={() => by(step)} aria-label="Larger">
        +
      </button>
    </>
  )
}

interface OfAppsProps extends DrawingProps {
  /** As the address says. */
  readonly app: string | undefined
}

const allApps = '*'

/** All of them in one picture are too much to read at once: at first it is that of the app whose server answers. */
function OfApps({ map, scale, app }: OfAppsProps) {
  const apps = appsOf(map)
  const chosen = [app, apps[0]].find((name) => name !== undefined && apps.includes(name))
  const isWhole = app === allApps || apps.length < 2
  const shared = useMemo(() => inShares(map), [map])
  const drawn = useMemo(
    () => (isWhole || chosen === undefined ? shared : mapOfApp(shared, chosen)),
    [shared, chosen, isWhole],
  )
  const linkOf = (name: string, text: string, isShown: boolean) => (
    <Link key={name} to="map" params={{ app: name }} aria-current={isShown ? 'true' : undefined}>
      {text}
    </Link>
  )
  return (
    <>
      {apps.length > 1 && (
        <p className="choices">
          {apps.map((name) => linkOf(name, name, !isWhole && name === chosen))}
          {linkOf(allApps, 'all apps', isWhole)}
        </p>
      )}
      <Drawing {...{ map: drawn, scale }} />
    </>
  )
}

interface DrawingProps {
  readonly map: SystemMap
  readonly scale: number | undefined
}

function Drawing({ map, scale }: DrawingProps) {
  const { width, height, nodes, edges, areas } = useMemo(() => layoutOf(map), [map])
  return (
    <>
      <section
        className={scale === undefined ? 'map map-fit' : 'map'}
        aria-label="Map of the system"
        tabIndex={0}
      >
        <svg
          viewBox={`0 0 ${width} ${height}`}
          style={
            {
              '--map-width': `${width * (scale ?? 1)}px`,
              '--map-height': `${height}px`,
            } as CSSProperties
          }
          role="group"
          aria-label="Parts and ways"
        >
          {areas.map(({ name, ...area }) => (
            <g key={name}>
              <rect className="map-area" {...area} rx="10" />
              <text className="map-context" x={area.x + 8} y={area.y + 14}>
                {name}
              </text>
            </g>
          ))}
          {edges.map((drawn) => (
            <Way key={`${drawn.edge.from} ${drawn.edge.to}`} drawn={drawn} />
          ))}
          {nodes.map((placed) => (
            <Part key={placed.node.id} placed={placed} />
          ))}
        </svg>
      </section>
      <Legend sample={map.sample} />
      <h2>Ways</h2>
      <Rows
        caption="Ways of events"
        columns={columns}
        items={map.edges}
        keyOf={({ from, to }) => `${from} ${to}`}
      />
    </>
  )
}

/** What was looked at: what is not seen in it may have been before. */
function Legend({ sample }: Pick<SystemMap, 'sample'>) {
  const { events, fromMs, toMs, types, typeEventsMax, typesLeft } = sample
  return (
    <p className="faint">
      Looked at: the newest {counted(events, 'event')}
      {fromMs !== null && `, of ${duration(toMs - fromMs)}`}
      {types > 0 &&
        `, and the newest ${typeEventsMax} of each of ${counted(types, 'type')} that are rare among them`}
      . Ways to functions have what these complete a second now, and how far they are behind. Rates with ~ are
      told from the events that were looked at: of what is published, and of one type among several. Dashed:
      declared, and not among them
      {typesLeft > 0 && ` (${counted(typesLeft, 'rare type')} more were not asked for)`}. Dotted: seen, though
      an app says otherwise. What functions and clients publish is not declared, but seen.
    </p>
  )
}

const markOf = ({ declared, seen }: Pick<MapEdge, 'declared' | 'seen'>) => {
  if (declared === null) return 'seen'
  return declared ? (seen ? 'both' : 'unseen') : 'undeclared'
}

/** What a way leads to is late: doctor says so from here on. */
const lagSecondsMax = 60

function Way({ drawn: { edge, points, x: middle, y } }: { readonly drawn: Drawn }) {
  const line = points.map((point) => `${point.x.toFixed(1)},${point.y.toFixed(1)}`).join(' ')
  const dead = edge.dead ?? 0
  const lag = edge.lagSeconds ?? 0
  const late = lag > lagSecondsMax
  const isWritten = (edge.seen && (edge.takenPerSecond ?? edge.perSecond) > 0) || lag >= lagSecondsShown
  return (
    <g className={`map-way map-${markOf(edge)}${late ? ' map-late' : ''}${dead > 0 ? ' map-ill' : ''}`}>
      <polyline points={line} />
      {isWritten && (
        <text x={middle} y={y - 4} textAnchor="middle">
          {rateOf(edge)}
          {lag >= lagSecondsShown && (
            <tspan className={late ? 'map-lag-late' : undefined}> · lag {seconds(lag)}</tspan>
          )}
        </text>
      )}
      {dead > 0 && (
        <Link to="dead-letters" params={lettersOf(edge)}>
          <text x={middle} y={y + 13} textAnchor="middle">
            {count(dead)} dead
          </text>
        </Link>
      )}
    </g>
  )
}

/** Of what it leads to, where that is one subscription. */
const lettersOf = ({ subscriptions }: MapEdge) =>
  subscriptions.length === 1 ? { subscription: subscriptions[0] } : {}

/** Its id is its kind and its name. */
function PartLink({ id }: { readonly id: string }) {
  const at = id.indexOf(':')
  const { to, params } = placeOf({ kind: id.slice(0, at) as MapNode['kind'], name: id.slice(at + 1) })
  return (
    <Link to={to} params={params}>
      {id}
    </Link>
  )
}

/** What a function takes is counted, for all of its types. What comes from clients and functions is told from a sample. */
const rateOf = ({ takenPerSecond, lagSeconds, perSecond: sampled, isShare }: MapEdge) => {
  if (takenPerSecond === null && lagSeconds === null) return `~${perSecond(sampled)}`
  return `${isShare ? '~' : ''}${perSecond(takenPerSecond)}`
}

function Part({ placed: { node, says, x, y, width } }: { readonly placed: Placed }) {
  const { to, params } = placeOf(node)
  return (
    <Link to={to} params={params}>
      <g className={`map-part map-${markOf(node)}${standingOf(node).length > 0 ? ' map-held' : ''}`}>
        <rect x={x} y={y} width={width} height={nodeHeight} rx={node.kind === 'event' ? 20 : 6} />
        <text x={x + 14} y={y + 17}>
          {node.name}
        </text>{' '}
        <text className="map-kind" x={x + 14} y={y + 32}>
          {says}
        </text>
      </g>
    </Link>
  )
}

function Dead({ edge }: { readonly edge: MapEdge }) {
  if (edge.dead === null || edge.dead === 0) return edge.dead === null ? '–' : '0'
  return (
    <Link to="dead-letters" params={lettersOf(edge)}>
      {count(edge.dead)}
    </Link>
  )
}

const columns: readonly Column<MapEdge>[] = [
  { name: 'From', cell: ({ from }) => <PartLink id={from} /> },
  { name: 'To', kind: 'long', cell: ({ to }) => <PartLink id={to} /> },
  { name: 'Mark', kind: 'wide', cell: (edge) => <Badge state={marks[markOf(edge)]} /> },
  { name: 'Rate', kind: 'number', cell: rateOf },
  {
    name: 'Lag',
    kind: 'wide number',
    cell: ({ lagSeconds }) => (lagSeconds === null ? '–' : seconds(lagSeconds)),
  },
  { name: 'Dead', kind: 'wide number', cell: (edge) => <Dead edge={edge} /> },
]

const marks = {
  ...{ both: 'declared and seen', unseen: 'not seen', seen: 'seen', undeclared: 'not declared' },
} as const
