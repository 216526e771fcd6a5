// Dead letters: groups of the same fault first, then the letters of one, then one of them.
import { useAnswer, usePages } from '../api/asking.js'
import type { DeadLetter, DeadLetterGroup } from '../api/views.js'
import { Badge } from '../parts/badge.js'
import { Bars } from '../parts/chart.js'
import { count, counted } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { type Column, Rows } from '../parts/rows.js'
import { type Filter, Search } from '../parts/search.js'
import { Empty, Shown } from '../parts/standing.js'
import { Link } from '../route/link.js'
import { usePlace } from '../route/place.js'
import { Letter } from './dead-letter.js'
import { LetterActions } from './dead-letter-actions.js'

export const categories = ['validation', 'permanent', 'transient', 'timeout', 'processing', 'unknown']

const filters: readonly Filter[] = [
  { name: 'error', label: 'Error contains' },
  // As the command line has it: those that wait for a person, unless another state is named.
  { name: 'state', label: 'State', options: ['redriving', 'redriven', 'discarded', 'any'], unchosen: 'dead' },
  { name: 'subscription', label: 'Subscription' },
  { name: 'category', label: 'Category', options: categories },
  { name: 'eventType', label: 'Event type' },
  { name: 'key', label: 'Key' },
  { name: 'tenant', label: 'Tenant' },
]
/** No field has it: a group leads to it. */
const ofGroup = 'fingerprint'
/** What selects letters, beside their state. */
const named = [...filters.map(({ name }) => name).filter((name) => name !== 'state'), ofGroup]

export function DeadLetters() {
  const { params } = usePlace()
  const letter = params.get('letter')
  if (letter !== null) return <Letter id={letter} />
  const chosen = named.some((name) => params.has(name)) || params.has('state') || params.has('all')
  return (
    <>
      <Heading
        key={String(chosen)}
        title="Dead letters"
        above={chosen ? <Link to="dead-letters">All groups</Link> : undefined}
      />
      <Search filters={filters} beside={[ofGroup]} />
      {chosen ? <Letters /> : <Groups />}
    </>
  )
}

const groupColumns: readonly Column<DeadLetterGroup>[] = [
  {
    name: 'Error',
    kind: 'long',
    cell: ({ subscription, category, fingerprint, message }) => (
      <Link to="dead-letters" params={{ subscription, category, fingerprint }} title={message}>
        {message || '(no message)'}
      </Link>
    ),
  },
  { name: 'Letters', kind: 'number', cell: (group) => count(group.count) },
  { name: 'Subscription', kind: 'wide', cell: ({ subscription }) => subscription },
  { name: 'Category', kind: 'wide', cell: ({ category }) => category },
  {
    name: '24 hours',
    kind: 'wide',
    cell: ({ hourly }) =>
      hourly === undefined ? null : (
        <Bars label="Last 24 hours" values={hourly} say={(value) => counted(value, 'letter')} />
      ),
  },
  { name: 'First', kind: 'wide', cell: ({ firstAtMs }) => <Moment at={firstAtMs} /> },
  { name: 'Last', cell: ({ lastAtMs }) => <Moment at={lastAtMs} /> },
]

function Groups() {
  const asked = useAnswer<{ readonly items: readonly DeadLetterGroup[] }>('/v1/dead-letters/groups')
  return (
    <Shown asked={asked}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty title="No dead letters">
            Nothing waits for a person. What fails for good is kept here, to be mended and sent again.{' '}
            <Link to="dead-letters" params={{ state: 'any' }}>
              Those that were redriven or discarded
            </Link>
          </Empty>
        ) : (
          <Rows
            caption="Dead letters, grouped by subscription, category and error"
            columns={groupColumns}
            items={items}
            keyOf={({ subscription, category, fingerprint }) => `${subscription} ${category} ${fingerprint}`}
          />
        )
      }
    </Shown>
  )
}

/** Of which fault the letters are that are listed: a filter that no field shows. */
function Fault({ filter }: { readonly filter: Readonly<Record<string, string>> }) {
  const { params } = usePlace()
  const asked = useAnswer<{ readonly items: readonly DeadLetterGroup[] }>('/v1/dead-letters/groups', filter)
  const anyFault = Object.fromEntries([...params].filter(([name]) => name !== ofGroup))
  const groups = asked.data?.items ?? []
  const [group] = groups
  return (
    <section className="fault" aria-label="The same fault">
      <div>
        <h2>{group?.message || (group ? '(no message)' : 'Letters of one fault')}</h2>
        <p className="faint">
          {asked.data !== undefined && group === undefined && 'None of its letters is dead now. '}
          {groups.map((each) => (
            <FaultFigures key={`${each.subscription} ${each.category}`} group={each} />
          ))}
          <Link to="dead-letters" params={{ ...anyFault, all: 'true' }}>
            Show any fault
          </Link>
        </p>
      </div>
      {group?.hourly !== undefined && (
        <Bars label="Last 24 hours" values={group.hourly} say={(value) => counted(value, 'letter')} />
      )}
    </section>
  )
}

const FaultFigures = ({ group }: { readonly group: DeadLetterGroup }) => (
  <>
    {counted(group.count, 'letter')} of {group.subscription}, {group.category}; the first died{' '}
    <Moment at={group.firstAtMs} />, the last <Moment at={group.lastAtMs} />.{' '}
  </>
)

const letterColumn: Column<DeadLetter> = {
  name: 'Letter',
  cell: ({ id }) => (
    <Link to="dead-letters" params={{ letter: id }}>
      <code>{id}</code>
    </Link>
  ),
}

/** Of those that wait: the state of each is that of the list. */
const letterColumns: readonly Column<DeadLetter>[] = [
  letterColumn,
  {
    name: 'Error',
    kind: 'long',
    cell: ({ failure }) => <span title={failure.message}>{failure.message}</span>,
  },
  { name: 'Event', kind: 'wide', cell: ({ event }) => event.type },
  { name: 'Key', kind: 'wide', cell: ({ event }) => event.key },
  { name: 'Tenant', kind: 'wide', cell: ({ tenant }) => tenant },
  { name: 'Attempts', kind: 'wide number', cell: ({ attempts }) => count(attempts) },
  { name: 'Died', cell: ({ diedAtMs }) => <Moment at={diedAtMs} /> },
]

/** Of those that are dead no more: since when, and of what was discarded by whom. */
const resolvedColumns: readonly Column<DeadLetter>[] = [
  letterColumn,
  { name: 'State', cell: ({ state }) => <Badge state={state} /> },
  ...letterColumns.slice(1),
  { name: 'Resolved', cell: ({ resolvedAtMs }) => <Moment at={resolvedAtMs} /> },
  { name: 'By', kind: 'wide', cell: ({ resolvedBy }) => resolvedBy },
]

function Letters() {
  const { params } = usePlace()
  const filter = Object.fromEntries(
    [...params].filter(([name, value]) => value !== '' && named.includes(name)),
  )
  const state = params.get('state') ?? 'dead'
  const asked = usePages<DeadLetter>('/v1/dead-letters', {
    ...filter,
    state: state === 'any' ? undefined : state,
  })
  return (
    <>
      {params.has(ofGroup) && <Fault filter={filter} />}
      <LetterActions
        filter={filter}
        offered={state === 'dead' && Object.keys(filter).length > 0 && asked.data?.length !== 0}
      />
      <Shown asked={asked}>
        {(items) =>
          items.length === 0 ? (
            <Empty title={state === 'any' ? 'No letters fit' : `No ${state} letters fit`}>
              <Link to="dead-letters">Look at all groups</Link>
            </Empty>
          ) : (
            <Rows
              caption="Dead letters, newest first"
              columns={state === 'dead' ? letterColumns : resolvedColumns}
              items={items}
              keyOf={({ id }) => id}
              more={asked.more}
              loading={asked.loading}
              stale={asked.stale}
            />
          )
        }
      </Shown>
    </>
  )
}
