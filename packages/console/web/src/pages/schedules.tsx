// Schedules and reconcilers: how far each has come, and one run by hand.
import { useMemo, useState } from 'react'
import { useAnswer } from '../api/asking.js'
import { post } from '../api/client.js'
import type { Schedule, Subscription } from '../api/views.js'
import { useSession } from '../frame/session.js'
import { Badge } from '../parts/badge.js'
import { reasonIn } from '../parts/dialog.js'
import { duration } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { RowAct } from '../parts/row-act.js'
import { type Column, Rows } from '../parts/rows.js'
import { Empty, Shown } from '../parts/standing.js'
import { Link } from '../route/link.js'

/** A tick that nobody takes for so long has no process that follows it. */
const lateMsMax = 60_000

type Listed = Schedule & { readonly paused: boolean }

interface Ran {
  readonly schedule: Schedule
  /** Its id. */
  readonly event: string
}

/** What becomes of ticks that nobody took in time. */
const ifMissed: Readonly<Record<Schedule['missed'], string>> = {
  skip: 'run none',
  once: 'run once',
  all: 'run each',
}

const columnsOf = (ran: (run: Ran) => void): readonly Column<Listed>[] => [
  {
    name: 'Schedule',
    cell: (each) => (
      <Link to="subscriptions" params={{ name: each.subscription }} title={each.description ?? undefined}>
        {each.name}
      </Link>
    ),
  },
  {
    name: 'State',
    cell: ({ lateMs, paused }) => {
      if (paused) return <Badge state="paused" />
      if (lateMs > lateMsMax) return <Badge state={`late ${duration(lateMs)}`} tone="bad" />
      return <Badge state="on time" tone="good" />
    },
  },
  { name: 'Cron', cell: ({ cron }) => <code>{cron}</code> },
  { name: 'Zone', kind: 'wide', cell: ({ timeZone }) => timeZone },
  { name: 'Publishes', kind: 'wide long', cell: ({ event, kind }) => event ?? kind },
  { name: 'Tenant', kind: 'wide', cell: ({ tenant }) => tenant },
  { name: 'If missed', kind: 'wide', cell: ({ missed }) => ifMissed[missed] },
  { name: 'Next', cell: ({ nextAtMs }) => <Moment at={nextAtMs} /> },
  { name: 'Last run', cell: (each) => <LastRun of={each} /> },
  { name: 'By hand', kind: 'hand', cell: (schedule) => <Run schedule={schedule} ran={ran} /> },
]

function LastRun({ of: { last, tenant } }: { readonly of: Schedule }) {
  if (last === null) return 'none yet'
  return (
    <>
      <Link to="events" params={{ id: last.event, tenant }}>
        <Moment at={last.atMs} />
      </Link>{' '}
      <Badge state={last.state} />
      {last.by !== null && ` by ${last.by}`}
    </>
  )
}

export function Schedules() {
  const { tenant } = useSession()
  const [ran, setRan] = useState<Ran>()
  const columns = useMemo(() => columnsOf(setRan), [])
  const asked = useAnswer<{ readonly schedules: readonly Schedule[] }>('/v1/schedules')
  // They span tenants: a key of one is not told.
  const path = tenant === null ? '/v1/subscriptions' : undefined
  const subscriptions = useAnswer<{ readonly items: readonly Subscription[] }>(path)
  const paused = new Set(
    subscriptions.data?.items.filter(({ state }) => state === 'paused').map(({ name }) => name),
  )
  return (
    <>
      <Heading title="Schedules" />
      <p role="status">{ran !== undefined && <Accepted run={ran} />}</p>
      <Shown asked={asked}>
        {({ schedules }) =>
          schedules.length === 0 ? (
            <Empty title="This app has no schedule">
              Make one with <code>schedule()</code>, which publishes an event by a cron expression, or{' '}
              <code>reconciler()</code>, which compares two sides by one. Both come from{' '}
              <code>eventspine/workflow</code>; list them in{' '}
              <code>{'defineApp({ schedules: […], reconcilers: […] })'}</code> and start the worker again.
              <OfOthers subscriptions={subscriptions.data?.items ?? []} />
            </Empty>
          ) : (
            <Rows
              caption="Schedules and reconcilers"
              columns={columns}
              items={schedules.map((each) => ({ ...each, paused: paused.has(each.subscription) }))}
              keyOf={({ name }) => name}
            />
          )
        }
      </Shown>
    </>
  )
}

/** Each app shows its own: of those of another that shares the log only the deliveries are seen here. */
function OfOthers({ subscriptions }: { readonly subscriptions: readonly Subscription[] }) {
  const others = subscriptions.filter(({ name }) => /^(?:schedule|reconcile)-/.test(name))
  if (others.length === 0) return null
  return (
    <>
      {' '}
      On this log run those of other apps:{' '}
      {others.map(({ name, app }, at) => (
        <span key={name}>
          {at > 0 && ', '}
          <Link to="subscriptions" params={{ name }}>
            {name}
          </Link>{' '}
          of {app}
        </span>
      ))}
      .
    </>
  )
}

const Accepted = ({ run: { schedule, event } }: { readonly run: Ran }) => (
  <>
    The run of {schedule.name} is accepted:{' '}
    <Link to="events" params={{ id: event, tenant: schedule.tenant }}>
      its event
    </Link>{' '}
    shows what comes of it.
  </>
)

interface RunProps {
  readonly schedule: Schedule
  readonly ran: (run: Ran) => void
}

function Run({ schedule, ran }: RunProps) {
  const { name } = schedule
  const run = async (form: FormData) => {
    const path = `/v1/schedules/${encodeURIComponent(name)}/run`
    const { event } = await post<{ readonly event: string }>(path, reasonIn(form))
    ran({ schedule, event })
  }
  return (
    <RowAct {...{ does: 'Run', what: name, act: 'Run once now' }} doing={run}>
      <p>
        Once, beside its ticks. The event says who asked for it. While its subscription is paused it waits.
      </p>
    </RowAct>
  )
}
