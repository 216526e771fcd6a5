// Workers: the processes that deliver now.
import { useAnswer } from '../api/asking.js'
import type { Worker } from '../api/views.js'
import { count } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { type Column, Rows } from '../parts/rows.js'
import { Empty, Shown } from '../parts/standing.js'

const columns: readonly Column<Worker>[] = [
  { name: 'Worker', cell: ({ id, identity }) => <span title={identity}>{id}</span> },
  { name: 'Host', cell: ({ host }) => host },
  { name: 'Process', kind: 'wide number', cell: ({ processId }) => processId },
  { name: 'Version', kind: 'wide', cell: ({ version }) => version },
  { name: 'Consumers', kind: 'number', cell: ({ consumers }) => count(consumers) },
  { name: 'In flight', kind: 'number', cell: ({ running }) => count(handlers(running)) },
  { name: 'Heartbeat', cell: ({ heartbeatAtMs }) => <Moment at={heartbeatAtMs} /> },
  { name: 'Began', kind: 'wide', cell: ({ startedAtMs }) => <Moment at={startedAtMs} /> },
]

const handlers = (running: Worker['running']) => Object.values(running).reduce((sum, each) => sum + each, 0)

export function Workers() {
  const asked = useAnswer<{ readonly items: readonly Worker[] }>('/v1/workers')
  return (
    <>
      <Heading title="Workers" />
      <Shown asked={asked}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No worker lives">
              Events are stored, and nothing is delivered until one starts: eventspine start, or eventspine
              dev.
            </Empty>
          ) : (
            <Rows caption="Workers that live" columns={columns} items={items} keyOf={({ id }) => id} />
          )
        }
      </Shown>
    </>
  )
}
