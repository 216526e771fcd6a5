// Events as rows, found or as they come.
import type { EventView } from '../api/views.js'
import { Moment } from '../parts/moment.js'
import type { Column } from '../parts/rows.js'
import { Link } from '../route/link.js'

export const eventColumns: readonly Column<EventView>[] = [
  {
    name: 'Type',
    cell: ({ id, type, tenant }) => (
      <Link to="events" params={{ id, tenant }}>
        {type}
      </Link>
    ),
  },
  { name: 'Key', kind: 'wide', cell: ({ key }) => key },
  { name: 'Data', kind: 'long', cell: ({ data }) => <code className="faint">{preview(data)}</code> },
  { name: 'Tenant', kind: 'wide', cell: ({ tenant }) => tenant },
  {
    name: 'Id',
    kind: 'wide',
    cell: ({ id }) => (
      <code className="id" title={id}>
        {id}
      </code>
    ),
  },
  { name: 'Recorded', cell: ({ recordedAt }) => <Moment at={recordedAt} /> },
]

const previewCharacters = 160
const preview = (data: unknown) => (JSON.stringify(data) ?? '').slice(0, previewCharacters)
