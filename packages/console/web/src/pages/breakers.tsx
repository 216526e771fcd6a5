// Circuit breakers: which downstream is given a rest, since when and why; opened or closed by hand.
import { useAnswer } from '../api/asking.js'
import { post } from '../api/client.js'
import type { Breaker } from '../api/views.js'
import { Badge } from '../parts/badge.js'
import { reasonIn } from '../parts/dialog.js'
import { count, duration } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { RowAct } from '../parts/row-act.js'
import { type Column, Rows } from '../parts/rows.js'
import { Empty, Shown } from '../parts/standing.js'

const nameOf = ({ name, tenant, key }: Pick<Breaker, 'name' | 'tenant' | 'key'>) =>
  [name, tenant, key].filter(Boolean).join(' · ')

const columns: readonly Column<Breaker>[] = [
  { name: 'Breaker', cell: (breaker) => nameOf(breaker) },
  { name: 'State', cell: ({ state }) => <Badge state={state} /> },
  { name: 'Failures', kind: 'number', cell: ({ failures }) => count(failures) },
  { name: 'Opened', kind: 'wide', cell: ({ openedAtMs }) => <Moment at={openedAtMs} /> },
  {
    name: 'Probes in',
    kind: 'wide number',
    cell: ({ state, opensForMs }) => (state === 'closed' ? '–' : duration(opensForMs)),
  },
  { name: 'Last error', kind: 'wide long', cell: ({ lastError }) => lastError },
  { name: 'By hand', kind: 'hand', cell: (breaker) => <Switch breaker={breaker} /> },
]

export function Breakers() {
  const asked = useAnswer<{ readonly items: readonly Breaker[] }>('/v1/breakers')
  return (
    <>
      <Heading title="Breakers" />
      <Shown asked={asked}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No breaker was needed yet">
              A subscription with a breaker rests while what it calls is down: breaker in
              defineSubscription(). One stands here from its first failure on.
            </Empty>
          ) : (
            <Rows
              caption="Circuit breakers"
              columns={columns}
              items={items}
              keyOf={({ name, tenant, key }) => JSON.stringify([name, tenant, key])}
            />
          )
        }
      </Shown>
    </>
  )
}

function Switch({ breaker: { name, tenant, key, state } }: { readonly breaker: Breaker }) {
  const opens = state === 'closed'
  const does = opens ? 'Open' : 'Close'
  return (
    <RowAct
      {...{ does, what: nameOf({ name, tenant, key }), act: `${does} 1 breaker`, harmful: opens }}
      about={JSON.stringify([name, tenant, key])}
      stands={state}
      doing={(form) =>
        post(`/v1/breakers/${encodeURIComponent(name)}`, {
          ...{ state: opens ? 'open' : 'closed', ...reasonIn(form) },
          ...(tenant === '' ? {} : { tenant }),
          ...(key === '' ? {} : { key }),
        })
      }
    >
      <p>
        {opens
          ? 'Deliveries that need it wait, and cost no attempt, for an hour: then probes go, and it closes when they succeed. Close it here when it is needed before.'
          : 'Deliveries go at once. When what it calls is still down, it opens again.'}
      </p>
    </RowAct>
  )
}
