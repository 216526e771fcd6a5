// Events: searched page by page, or followed as they come; one of them on a page of its own.
import { useEffect, useState } from 'react'
import { type AskedPages, usePages } from '../api/asking.js'
import type { EventView } from '../api/views.js'
import { counted } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Rows } from '../parts/rows.js'
import { type Filter, Search } from '../parts/search.js'
import { Empty, Shown } from '../parts/standing.js'
import { choose, usePlace } from '../route/place.js'
import { OneEvent } from './event.js'
import { eventColumns } from './event-columns.js'
import { useSearchOn } from './search-on.js'
import { Tail } from './tail.js'

const filters: readonly Filter[] = [
  { name: 'type', label: 'Type (* for any run)' },
  { name: 'key', label: 'Key' },
  { name: 'correlation', label: 'Correlation' },
  { name: 'tenant', label: 'Tenant' },
  { name: 'after', label: 'Recorded after', type: 'moment' },
  { name: 'before', label: 'Recorded before', type: 'moment' },
  {
    name: 'pattern',
    label: 'Pattern over an event, as JSON',
    placeholder: '{"data":{"country":["XX"]}}',
  },
]

/** What the stream of events cannot be narrowed by. */
const searchedOnly = ['after', 'before', 'pattern']
const followedFilters = filters.filter(({ name }) => !searchedOnly.includes(name))

export function Events() {
  const { params } = usePlace()
  const id = params.get('id')
  if (id !== null) return <OneEvent id={id} tenant={params.get('tenant') ?? undefined} />
  return params.has('live') ? <Live params={params} /> : <Searched params={params} />
}

interface PlaceProps {
  readonly params: URLSearchParams
}

const Searched = ({ params }: PlaceProps) => (
  <>
    <Heading title="Events">
      <button type="button" aria-pressed="false" onClick={() => choose({ live: '1' })}>
        Follow live
      </button>
    </Heading>
    <Search filters={filters} />
    <Found query={queryOf(params)} />
  </>
)

function Live({ params }: PlaceProps) {
  const asked = filters.filter(({ name }) => searchedOnly.includes(name) && params.has(name))
  const [left, setLeft] = useState<readonly Filter[]>([])
  // Out of the address, too: a colleague who gets it is not told of a search that this is not.
  useEffect(() => {
    if (asked.length === 0) return
    setLeft(asked)
    choose(Object.fromEntries(asked.map(({ name }) => [name, undefined])), { replace: true })
  })
  return (
    <>
      <Heading title="Events">
        <button type="button" aria-pressed="true" onClick={() => choose({ live: undefined })}>
          Stop following
        </button>
      </Heading>
      <Search filters={followedFilters} />
      <p role="status" className="faint">
        {left.length > 0 &&
          `Left out, since what comes is not narrowed by it: ${left.map(({ label }) => label).join('; ')}. Stop following to search by it.`}
      </p>
      {asked.length === 0 && <Tail key={params.toString()} query={queryOf(params)} />}
    </>
  )
}

function queryOf(params: URLSearchParams): Record<string, string | undefined> {
  const text = (name: string) => params.get(name) ?? undefined
  return {
    ...{ type: text('type'), key: text('key'), correlation: text('correlation'), tenant: text('tenant') },
    ...{ after: text('after'), before: text('before'), pattern: text('pattern') },
  }
}

function Found({ query }: { readonly query: Record<string, string | undefined> }) {
  const asked = usePages<EventView>('/v1/events', query)
  return (
    <Shown asked={asked} invalid="This search is not understood">
      {(items) => <FoundEvents key={JSON.stringify(query)} {...{ items, asked }} />}
    </Shown>
  )
}

interface FoundProps {
  readonly items: readonly EventView[]
  readonly asked: AskedPages<EventView>
}

function FoundEvents({ items, asked }: FoundProps) {
  const { scanned, loading, stale } = asked
  const search = useSearchOn(items.length, asked)
  const { more } = search
  return (
    <>
      {scanned !== undefined && (
        <p className="faint" role="status">
          {counted(scanned, 'event')} looked at
          {more === undefined ? ', which is all' : search.runs ? ', looking further…' : ', more behind them'}.{' '}
          {search.runs && (
            <button type="button" className="quiet" onClick={search.stop}>
              Stop
            </button>
          )}
        </p>
      )}
      {items.length > 0 ? (
        <Rows
          caption="Events, newest first"
          columns={eventColumns}
          keyOf={({ id, tenant, source }) => `${tenant} ${source} ${id}`}
          loading={loading || search.runs}
          {...{ items, more, stale }}
        />
      ) : more === undefined ? (
        <Empty title="No event fits">
          Widen the search, or publish one: POST /v1/events with a type and data. Events are seen a moment
          after they are recorded.
        </Empty>
      ) : (
        <Empty title="None of those looked at fits">
          {!search.runs && (
            <button type="button" disabled={loading} onClick={more}>
              Look further
            </button>
          )}
        </Empty>
      )}
    </>
  )
}
