// Schedules and reconcilers: how far each has come, and one run by hand.
import { useAnswer } from '../api/asking.js'
import { post } from '../api/client.js'
import type { Schedule } from '../api/views.js'
import { Badge } from '../parts/badge.js'
import { reasonIn } from '../parts/dialog.js'
import { duration } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { RowAct } from '../parts/row-act.js'
import { type Column, Rows } from '../parts/rows.js'
import { Empty, Shown } from '../parts/standing.js'

/** A tick that nobody takes for so long has no process that follows it. */
const lateMsMax = 60_000

const columns: readonly Column<Schedule>[] = [
  { name: 'Schedule', cell: ({ name, description }) => <span title={description ?? undefined}>{name}</span> },
  {
    name: 'State',
    cell: ({ lateMs }) =>
      lateMs > lateMsMax ? (
        <Badge state={`late ${duration(lateMs)}`} tone="bad" />
      ) : (
        <Badge state="on time" tone="good" />
      ),
  },
  { name: 'Cron', cell: ({ cron }) => <code>{cron}</code> },
  { name: 'Zone', kind: 'wide', cell: ({ timeZone }) => timeZone },
  { name: 'Publishes', kind: 'long', cell: ({ event, kind }) => event ?? kind },
  { name: 'Tenant', kind: 'wide', cell: ({ tenant }) => tenant },
  { name: 'Missed', kind: 'wide', cell: ({ missed }) => missed },
  { name: 'Next', cell: ({ nextAtMs }) => <Moment at={nextAtMs} /> },
  { name: 'By hand', cell: (schedule) => <Run schedule={schedule} /> },
]

export function Schedules() {
  const asked = useAnswer<{ readonly schedules: readonly Schedule[] }>('/v1/schedules')
  return (
    <>
      <Heading title="Schedules" />
      <Shown asked={asked}>
        {({ schedules }) =>
          schedules.length === 0 ? (
            <Empty title="This app has no schedule">
              defineSchedule() publishes an event by a cron expression; defineReconciler() compares two sides
              on one.
            </Empty>
          ) : (
            <Rows
              caption="Schedules and reconcilers"
              columns={columns}
              items={schedules}
              keyOf={({ name }) => name}
            />
          )
        }
      </Shown>
    </>
  )
}

function Run({ schedule: { name } }: { readonly schedule: Schedule }) {
  return (
    <RowAct
      {...{ does: 'Run', what: name, act: 'Run once now' }}
      doing={(form) => post(`/v1/schedules/${encodeURIComponent(name)}/run`, reasonIn(form))}
    >
      <p>Once, beside its ticks. The event says who asked for it.</p>
    </RowAct>
  )
}
