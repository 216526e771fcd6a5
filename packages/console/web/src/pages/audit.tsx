// Audit: every action of an operator, with who, when and what changed.
import { usePages } from '../api/asking.js'
import type { AuditEntry } from '../api/views.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { type Column, Rows } from '../parts/rows.js'
import { Empty, Shown } from '../parts/standing.js'

const columns: readonly Column<AuditEntry>[] = [
  { name: 'When', cell: ({ atMs }) => <Moment at={atMs} /> },
  { name: 'Who', cell: ({ actor }) => actor },
  { name: 'What', cell: ({ action }) => action },
  { name: 'To', cell: ({ target }) => <span title={target}>{target}</span> },
  {
    name: 'Details',
    kind: 'long',
    cell: ({ details }) => <code className="faint">{JSON.stringify(details)}</code>,
  },
]

export function Audit() {
  const asked = usePages<AuditEntry>('/v1/audit')
  return (
    <>
      <Heading title="Audit" />
      <Shown asked={asked}>
        {(items) =>
          items.length === 0 ? (
            <Empty title="Nobody has done anything yet">
              What operators do is recorded here, with who and why.
            </Empty>
          ) : (
            <Rows
              caption="Actions of operators, newest first"
              keyOf={({ id }) => String(id)}
              {...{ columns, items, more: asked.more, loading: asked.loading }}
            />
          )
        }
      </Shown>
    </>
  )
}
