// Contracts: which version of which event is registered, who writes it, who reads it, and what does not fit.
import { useAnswer } from '../api/asking.js'
import type { Contract, ContractFinding, Contracts as ContractsView } from '../api/system-views.js'
import { Badge } from '../parts/badge.js'
import { Facts, Json } from '../parts/facts.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { type Column, Rows } from '../parts/rows.js'
import { Empty, Shown } from '../parts/standing.js'
import { Link } from '../route/link.js'
import { usePlace } from '../route/place.js'

const everyMs = 30_000

const columns: readonly Column<Contract>[] = [
  {
    name: 'Event',
    cell: ({ type, version }) => (
      <Link to="contracts" params={{ type, version: String(version) }}>
        {type}
      </Link>
    ),
  },
  { name: 'Version', kind: 'number', cell: ({ version }) => version },
  { name: 'Written by', kind: 'wide', cell: ({ producers }) => producers.join(', ') || '–' },
  {
    name: 'Read by',
    kind: 'long',
    cell: ({ consumers }) => consumers.map(({ name }) => name).join(', ') || '–',
  },
  { name: 'App', kind: 'wide', cell: ({ app }) => app },
  { name: 'Registered', cell: ({ registeredAtMs }) => <Moment at={registeredAtMs} /> },
]

export function Contracts() {
  const { params } = usePlace()
  const asked = useAnswer<ContractsView>('/v1/contracts', {}, everyMs)
  const [type, version] = [params.get('type'), Number(params.get('version'))]
  return (
    <>
      <Heading
        title={type === null ? 'Contracts' : `${type}, version ${version}`}
        above={type === null ? undefined : <Link to="contracts">Contracts</Link>}
      />
      <Shown asked={asked}>
        {({ items, findings }) =>
          type === null ? (
            <All items={items} findings={findings} />
          ) : (
            <One contract={items.find((each) => each.type === type && each.version === version)} />
          )
        }
      </Shown>
    </>
  )
}

function All({ items, findings }: ContractsView) {
  return (
    <>
      {findings.length > 0 && <Findings findings={findings} />}
      {items.length === 0 ? (
        <Empty title="No contract is registered yet">An app registers its events when it starts.</Empty>
      ) : (
        <Rows
          caption="Registered versions of events"
          columns={columns}
          items={items}
          keyOf={({ type, version }) => `${type} ${version}`}
        />
      )}
    </>
  )
}

function Findings({ findings }: { readonly findings: readonly ContractFinding[] }) {
  return (
    <section className="panel" aria-label="Findings">
      <h2>What does not fit the app that this server runs</h2>
      <ul className="plain">
        {findings.map(({ severity, type, version, consumer, message }) => (
          <li key={`${type} ${version} ${consumer?.name} ${message}`}>
            <Badge state={severity} tone={severity === 'breaking' ? 'bad' : 'plain'} />{' '}
            <strong>
              {type} {version}
            </strong>{' '}
            {consumer !== null && `for ${consumer.name}: `}
            {message}
          </li>
        ))}
      </ul>
    </section>
  )
}

function One({ contract }: { readonly contract: Contract | undefined }) {
  if (contract === undefined) return <Empty title="No such version is registered" />
  const { description, app, registeredAtMs, producers, consumers, schema } = contract
  return (
    <section className="panel" aria-label="Contract">
      <Facts
        of={[
          ['Description', description],
          ['Registered by', app],
          ['Registered', <Moment key="at" at={registeredAtMs} />],
          ['Written lately by', producers.join(', ') || 'nobody'],
          [
            'Read by',
            consumers
              .map(({ name, reads }) => `${name}${reads === null ? '' : ` (up to ${reads})`}`)
              .join(', '),
          ],
        ]}
      />
      <h2>Schema of its data</h2>
      {schema === null ? (
        <p>It cannot be told as JSON Schema.</p>
      ) : (
        <Json label="JSON Schema" value={schema} />
      )}
    </section>
  )
}
