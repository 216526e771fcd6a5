// Endpoints of webhooks that fail or get nothing any more, and a hand on one.
import { useAnswer } from '../api/asking.js'
import { post } from '../api/client.js'
import type { Endpoint } from '../api/views.js'
import { Badge } from '../parts/badge.js'
import { reasonIn } from '../parts/dialog.js'
import { count } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { RowAct } from '../parts/row-act.js'
import { type Column, Rows } from '../parts/rows.js'
import { Empty, Shown } from '../parts/standing.js'
import { Link } from '../route/link.js'

const columns: readonly Column<Endpoint>[] = [
  {
    name: 'Endpoint',
    // The key of what is sent is its endpoint.
    cell: ({ endpoint, webhooks, tenant }) => (
      <Link
        to="dead-letters"
        params={{ subscription: `webhooks-${webhooks}-send`, key: endpoint, tenant }}
        title="Dead letters of this endpoint"
      >
        {endpoint}
      </Link>
    ),
  },
  {
    name: 'State',
    cell: ({ disabled }) => <Badge state={disabled === null ? 'failing' : 'disabled'} />,
  },
  { name: 'Webhooks', kind: 'wide', cell: ({ webhooks }) => webhooks },
  { name: 'Tenant', kind: 'wide', cell: ({ tenant }) => tenant },
  { name: 'Failures', kind: 'number', cell: ({ failures }) => count(failures) },
  { name: 'Since', kind: 'wide', cell: ({ failingSinceMs }) => <Moment at={failingSinceMs} /> },
  {
    name: 'Last error',
    kind: 'wide long',
    // Why somebody disabled it is no error of its own, and stands behind that.
    cell: ({ lastError, disabled }) =>
      [lastError, disabled?.reason && `(disabled: ${disabled.reason})`].filter(Boolean).join(' '),
  },
  { name: 'By hand', kind: 'hand', cell: (endpoint) => <Switch endpoint={endpoint} /> },
]

export function Webhooks() {
  const asked = useAnswer<{ readonly items: readonly Endpoint[] }>('/v1/webhooks')
  return (
    <>
      <Heading title="Webhook endpoints" />
      <Shown asked={asked}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No endpoint fails and none is disabled">
              One that is not listed here gets its messages.
            </Empty>
          ) : (
            <Rows
              caption="Endpoints that fail or are disabled"
              columns={columns}
              items={items}
              keyOf={({ webhooks, tenant, endpoint }) => JSON.stringify([webhooks, tenant, endpoint])}
            />
          )
        }
      </Shown>
    </>
  )
}

function Switch({ endpoint: { webhooks, tenant, endpoint, disabled } }: { readonly endpoint: Endpoint }) {
  const enables = disabled !== null
  const does = enables ? 'Enable' : 'Disable'
  return (
    <RowAct
      {...{ does, what: endpoint, act: `${does} 1 endpoint`, harmful: !enables }}
      about={JSON.stringify([webhooks, tenant, endpoint])}
      stands={enables ? 'disabled' : 'enabled'}
      doing={(form) =>
        post(`/v1/webhooks/${encodeURIComponent(webhooks)}`, {
          ...{ endpoint, tenant, state: enables ? 'enabled' : 'disabled', ...reasonIn(form) },
        })
      }
    >
      <p>
        {enables
          ? 'It gets messages again. Those that it missed are dead letters, which its name in the list leads to: redrive them.'
          : 'Its messages become dead letters until it is enabled.'}
      </p>
    </RowAct>
  )
}
