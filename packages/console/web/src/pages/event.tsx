// One event: its data, what became of it at each subscription, what it led to, and the trace of all that as a waterfall.
import { useAnswer } from '../api/asking.js'
import type { CausalNode, Delivery, EventDetails } from '../api/views.js'
import { Badge } from '../parts/badge.js'
import { Facts, Json } from '../parts/facts.js'
import { counted } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { type Column, Rows } from '../parts/rows.js'
import { Empty, Shown } from '../parts/standing.js'
import { Link } from '../route/link.js'
import { choose, usePlace } from '../route/place.js'
import { Waterfall } from './trace.js'
import { placeOfDelivery } from './trace-lines.js'
import { Wait } from './wait.js'

interface OneEventProps {
  readonly id: string
  readonly tenant: string | undefined
}

const views = ['details', 'trace'] as const

export function OneEvent({ id, tenant }: OneEventProps) {
  const { params } = usePlace()
  const traced = params.get('view') === 'trace'
  const asked = useAnswer<EventDetails>(`/v1/events/${encodeURIComponent(id)}`, { tenant })
  const { event, otherTenants = [] } = asked.data ?? {}
  if (event !== undefined && otherTenants.length > 0)
    return <WhichTenant id={id} tenants={[event.tenant, ...otherTenants].sort()} />
  return (
    <>
      <Heading title={event?.type ?? id} above={<Link to="events">Events</Link>}>
        {views.map((view) => (
          <button
            key={view}
            type="button"
            aria-pressed={traced === (view === 'trace')}
            onClick={() => choose({ view: view === 'trace' ? view : undefined })}
          >
            {view === 'trace' ? 'Trace' : 'Details'}
          </button>
        ))}
      </Heading>
      {traced ? (
        <Waterfall id={id} tenant={tenant} />
      ) : (
        <Shown asked={asked}>{(details) => <Details details={details} again={asked.again} />}</Shown>
      )}
    </>
  )
}

interface WhichTenantProps {
  readonly id: string
  readonly tenants: readonly string[]
}

/** The address names no tenant, and several have an event of this id. */
function WhichTenant({ id, tenants }: WhichTenantProps) {
  const { params } = usePlace()
  return (
    <>
      <Heading title={id} above={<Link to="events">Events</Link>} />
      <section className="panel" aria-label="Tenants">
        <p role="status">{counted(tenants.length, 'tenant')} have an event of this id. Which do you mean?</p>
        <ul>
          {tenants.map((tenant) => (
            <li key={tenant}>
              <Link to="events" params={{ ...Object.fromEntries(params), tenant }}>
                {tenant}
              </Link>
            </li>
          ))}
        </ul>
      </section>
    </>
  )
}

interface DetailsProps {
  readonly details: EventDetails
  readonly again: () => void
}

function Details({ details: { event, deliveries, chain }, again }: DetailsProps) {
  return (
    <>
      <section className="panel" aria-label="Event">
        <Facts
          of={[
            ['Id', <code key="id">{event.id}</code>],
            ['Type', `${event.type}, version ${event.version}`],
            ['Key', event.key],
            ['Subject', event.subject],
            ['Tenant', event.tenant],
            ['Source', event.source],
            ['Happened', <Moment key="time" at={event.time} />],
            ['Recorded', <Moment key="recorded" at={event.recordedAt} />],
            ['Correlation', <Correlation key="correlation" id={event.correlationId} tenant={event.tenant} />],
            ['Caused by', <Cause key="cause" id={event.causationId} tenant={event.tenant} />],
            ['Position', `${event.position.epoch}.${event.position.seq}`],
            ['traceparent', <code key="trace">{event.traceparent}</code>],
          ]}
        />
        {Object.keys(event.extensions).length > 0 && <Json label="Extensions" value={event.extensions} />}
        <h2>Data</h2>
        {event.unreadable === undefined ? (
          <Json label="Data of the event" value={event.data} />
        ) : (
          <Unreadable {...event.unreadable} again={again} />
        )}
      </section>
      <Deliveries deliveries={deliveries} />
      <section className="panel" aria-label="What led to what">
        <h2>What led to what</h2>
        <ul className="tree">
          <Node node={chain} here={event.id} />
        </ul>
      </section>
    </>
  )
}

interface UnreadableProps {
  readonly claim: string
  readonly reason: string
  readonly again: () => void
}

const Unreadable = ({ claim, reason, again }: UnreadableProps) => (
  <div className="not-followed">
    <p role="status">
      <strong>The data could not be fetched from the object store:</strong> {reason}
    </p>
    <p>
      The event is there, and its handlers wait for them. See whether the store runs, and whether this server
      is given the same <code>claim</code> as those that publish. Their name there: <code>{claim}</code>
    </p>
    <button type="button" onClick={again}>
      Try again
    </button>
  </div>
)

const Correlation = ({ id, tenant }: { readonly id: string; readonly tenant: string }) => (
  <Link to="events" params={{ correlation: id, tenant }}>
    <code>{id}</code>
  </Link>
)

function Cause({ id, tenant }: { readonly id: string | null | undefined; readonly tenant: string }) {
  if (id === null || id === undefined) return <>nothing: it is the first of its chain</>
  return (
    <Link to="events" params={{ id, tenant }}>
      <code>{id}</code>
    </Link>
  )
}

const columns: readonly Column<Delivery>[] = [
  {
    name: 'Subscription',
    cell: (delivery) => {
      const { to, params } = placeOfDelivery(delivery)
      return (
        <Link to={to} params={params}>
          {delivery.subscription}
        </Link>
      )
    },
  },
  { name: 'State', cell: ({ state }) => <Badge state={state} /> },
  { name: 'Attempt', kind: 'number', cell: ({ attempt }) => attempt },
  { name: 'Replay', kind: 'wide', cell: ({ replay }) => replay },
  {
    name: 'Waits',
    kind: 'wide',
    cell: ({ wait, subscription }) => wait !== null && <Wait for={wait} subscription={subscription} />,
  },
  { name: 'Due', kind: 'wide', cell: ({ dueAtMs }) => <Moment at={dueAtMs} /> },
  { name: 'Failure', kind: 'long', cell: ({ failure }) => failure?.message },
]

function Deliveries({ deliveries }: { readonly deliveries: readonly Delivery[] }) {
  return (
    <section aria-label="Deliveries">
      <h2>Deliveries</h2>
      {deliveries.length === 0 ? (
        <Empty title="No subscription is interested in it, or none has come to it" />
      ) : (
        <Rows caption="Deliveries of the event" columns={columns} items={deliveries} keyOf={({ id }) => id} />
      )}
    </section>
  )
}

function Node({ node: { event, children }, here }: { readonly node: CausalNode; readonly here: string }) {
  return (
    <li>
      <Link
        to="events"
        params={{ id: event.id, tenant: event.tenant }}
        aria-current={event.id === here ? 'true' : undefined}
      >
        {event.type}
      </Link>{' '}
      <span className="faint">
        {event.key} <Moment at={event.recordedAt} />
      </span>
      {children.length > 0 && (
        <ul>
          {children.map((child) => (
            <Node key={child.event.id} node={child} here={here} />
          ))}
        </ul>
      )}
    </li>
  )
}
