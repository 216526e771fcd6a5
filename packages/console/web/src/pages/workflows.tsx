// Instances of workflows by state. One that is halted by a dead letter or asks for a decision stands out, since it waits for
// a person.
import { usePages } from '../api/asking.js'
import type { Instance } from '../api/views.js'
import { count } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { type Column, Rows } from '../parts/rows.js'
import { type Filter, Search } from '../parts/search.js'
import { Empty, Shown } from '../parts/standing.js'
import { Link } from '../route/link.js'
import { usePlace } from '../route/place.js'
import { InstanceState } from './instance-state.js'
import { OneInstance } from './workflow.js'

const filters: readonly Filter[] = [
  { name: 'workflow', label: 'Workflow' },
  { name: 'id', label: 'Id' },
  {
    name: 'state',
    label: 'State',
    options: [
      ...['open', 'needs-attention', 'awaiting-approval', 'running', 'compensating', 'completed'],
      ...['failed', 'compensated', 'cancelled', 'terminated'],
    ],
  },
  { name: 'version', label: 'Began on version' },
  { name: 'tenant', label: 'Tenant' },
]

const columns: readonly Column<Instance>[] = [
  {
    name: 'Instance',
    cell: ({ workflow, id, tenant }) => (
      <Link to="workflows" params={{ workflow, id, tenant }}>
        {workflow} <code className="id">{id}</code>
      </Link>
    ),
  },
  {
    name: 'State',
    cell: (instance) => <InstanceState instance={instance} />,
  },
  {
    name: 'Waits for a person',
    kind: 'long',
    cell: ({ attention, approval }) =>
      attention === null ? approval !== null && <Asks approval={approval} /> : attention.message,
  },
  { name: 'Version', kind: 'wide number', cell: ({ version }) => version },
  { name: 'Tenant', kind: 'wide', cell: ({ tenant }) => tenant },
  { name: 'Began', kind: 'wide', cell: ({ startedAtMs }) => <Moment at={startedAtMs} /> },
  { name: 'Changed', cell: ({ changedAtMs }) => <Moment at={changedAtMs} /> },
]

/** What is asked, since when, and until when if it does not wait for ever. */
function Asks({ approval }: { readonly approval: NonNullable<Instance['approval']> }) {
  const { name, to, text, askedAtMs, dueAtMs, open } = approval
  return (
    <>
      <strong>{name}</strong>
      {open > 1 && ` and ${count(open - 1)} more`}, asked {to !== undefined && `of ${to} `}
      <Moment at={askedAtMs} />
      {dueAtMs !== null && (
        <>
          , waits until <Moment at={dueAtMs} />
        </>
      )}
      {text !== undefined && `: ${text}`}
    </>
  )
}

export function Workflows() {
  const { params } = usePlace()
  const [workflow, id, tenant] = ['workflow', 'id', 'tenant'].map((name) => params.get(name) ?? undefined)
  const asked = usePages<Instance>('/v1/workflows', {
    workflow,
    id,
    tenant,
    version: params.get('version') ?? undefined,
    state: params.get('state') ?? undefined,
  })
  if (workflow !== undefined && id !== undefined) return <OneInstance {...{ workflow, id, tenant }} />
  return (
    <>
      <Heading title="Workflows" />
      <Search filters={filters} />
      <Shown asked={asked}>
        {(items) =>
          items.length === 0 ? (
            <None state={params.get('state')} />
          ) : (
            <Rows
              caption="Instances of workflows, newest first"
              columns={columns}
              keyOf={(each) => `${each.tenant} ${each.workflow} ${each.id}`}
              {...{ items, more: asked.more, loading: asked.loading }}
            />
          )
        }
      </Shown>
    </>
  )
}

function None({ state }: { readonly state: string | null }) {
  if (state === 'awaiting-approval')
    return (
      <Empty title="Nothing waits for a decision">
        A workflow asks by ctx.approval, and stands here until somebody has decided, its time is over, or it
        goes another way. Clear the search to see all instances.
      </Empty>
    )
  return (
    <Empty title="No instance fits">
      A workflow starts with an event that it is on, or by POST /v1/workflows/NAME. Clear the search to see
      all.
    </Empty>
  )
}
