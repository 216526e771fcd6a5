// One dead letter: why, of what, after which attempts; and its data, to be mended and sent again.
import { useEffect, useRef, useState } from 'react'
import { useAnswer, useDoing } from '../api/asking.js'
import { faultOf, Written } from '../api/body.js'
import { post } from '../api/client.js'
import type { DeadLetter, EventDetails, Run } from '../api/views.js'
import { visible } from '../drawn/visible.js'
import { Act } from '../parts/act.js'
import { Badge } from '../parts/badge.js'
import { Facts, Json } from '../parts/facts.js'
import { count, counted, duration } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { type Column, Rows } from '../parts/rows.js'
import { Refused, Shown } from '../parts/standing.js'
import { useUnsent } from '../parts/unsent.js'
import { Link } from '../route/link.js'
import { whenFree } from '../route/place.js'
import { LetterActions, RedriveQuestion, useRedrive } from './dead-letter-actions.js'
import { SentWith } from './sent-with.js'

export function Letter({ id }: { readonly id: string }) {
  const asked = useAnswer<DeadLetter>(`/v1/dead-letters/${encodeURIComponent(id)}`)
  return (
    <>
      <Heading title={id} above={<Link to="dead-letters">Dead letters</Link>} />
      <Shown asked={asked}>{(letter) => <Details key={letter.id} letter={letter} />}</Shown>
    </>
  )
}

function Details({ letter }: { readonly letter: DeadLetter }) {
  const { failure, state } = letter
  const [edits, setEdits] = useState(false)
  return (
    <>
      {/* While somebody edits it, it is sent with what they write or not at all. */}
      <LetterActions filter={{ ids: [letter.id] }} offered={state === 'dead' && !edits} />
      {state !== 'dead' && <Fate letter={letter} />}
      <section className="panel" aria-label="Failure">
        {state !== 'dead' && <h2>Why it died</h2>}
        <p className="failure">
          {state === 'dead' && <Badge state="dead" />} {failure.name}: {failure.message}
        </p>
        <Facts of={factsOf(letter)} />
        {failure.stack !== null && (
          <details>
            <summary>Stack</summary>
            <pre className="json" tabIndex={0}>
              {failure.stack}
            </pre>
          </details>
        )}
      </section>
      {state === 'dead' && letter.redrive !== null && <LastEdit redrive={letter.redrive} />}
      <Data letter={letter} edits={edits} edit={setEdits} />
      <Attempts letter={letter} />
    </>
  )
}

function factsOf({ event, failure, ...letter }: DeadLetter) {
  const isOpen = letter.state === 'dead' || letter.state === 'redriving'
  return [
    ['Event', <EventLink key="event" event={event} tenant={letter.tenant} />],
    ['Version of the event', event.version],
    ['Subscription', <ToSubscription key="subscription" name={letter.subscription} />],
    ['Category', failure.category],
    ['Same fault', <SameFault key="same" letter={{ ...letter, failure }} />],
    ['Key', event.key],
    ['Halts its key', letter.halts && isOpen ? 'yes: what follows with this key waits' : undefined],
    ['Tenant', letter.tenant],
    [letter.state === 'dead' ? 'Attempts' : 'Attempts until it died', count(letter.attempts)],
    ['Redriven', redrivenOf(letter)],
    ['Died', <Moment key="died" at={letter.diedAtMs} />],
  ] as const
}

const ToSubscription = ({ name }: { readonly name: string }) => (
  <Link to="subscriptions" params={{ name }}>
    {name}
  </Link>
)

const EventLink = ({ event, tenant }: Pick<DeadLetter, 'event' | 'tenant'>) => (
  <Link to="events" params={{ id: event.id, tenant }}>
    {event.type} <code>{event.id}</code>
  </Link>
)

/** A round is counted when it dies again: of the one that did not, or has not, its state tells. */
function redrivenOf({ state, round }: Pick<DeadLetter, 'state' | 'round'>): string {
  const times = round + (state === 'redriving' || state === 'redriven' ? 1 : 0)
  return times === 0 ? 'never' : counted(times, 'time')
}

/** What became of one that is dead no more: by whom, when, and where to see it. */
function Fate({ letter }: { readonly letter: DeadLetter }) {
  const { state, event, tenant, redrive, resolvedAtMs, resolvedBy, reason } = letter
  const asked = useRedrive(state === 'discarded' ? undefined : (redrive ?? undefined))
  return (
    <section className="panel" aria-label="What became of it">
      <p className="failure" role="status">
        <Badge state={state} /> {fates[state]}
      </p>
      <Facts
        of={[
          [
            'Redrive',
            redrive === null || state === 'discarded' ? undefined : (
              <Link key="redrive" to="redrives" params={{ id: redrive }}>
                <code>{redrive}</code>
              </Link>
            ),
          ],
          [state === 'discarded' ? 'Discarded by' : 'Asked for by', resolvedBy ?? asked.data?.actor],
          ['Edited by', asked.data?.edited === true ? asked.data.actor : undefined],
          ['Reason', reason ?? asked.data?.reason],
          [
            state === 'discarded' ? 'Discarded' : 'Handled',
            resolvedAtMs === null ? undefined : <Moment key="resolved" at={resolvedAtMs} />,
          ],
          [
            'What came of it',
            state !== 'redriven' ? undefined : (
              <Link key="trace" to="events" params={{ id: event.id, tenant, view: 'trace' }}>
                Trace of the event
              </Link>
            ),
          ],
        ]}
      />
      {asked.data !== undefined && <SentWith redrive={asked.data} />}
    </section>
  )
}

const fates: Readonly<Record<DeadLetter['state'], string>> = {
  dead: 'It waits for a person.',
  redriving: 'It was sent again and is on its way.',
  redriven: 'It was sent again, and its handler has handled it.',
  discarded: 'It was given up for good, and is never sent again.',
}

function SameFault({ letter }: { readonly letter: Pick<DeadLetter, 'subscription' | 'failure' | 'state'> }) {
  const { subscription, failure, state } = letter
  const { category, fingerprint } = failure
  const among = state === 'dead' ? undefined : 'any'
  return (
    <Link to="dead-letters" params={{ subscription, category, fingerprint, state: among }}>
      <code>{fingerprint}</code>
    </Link>
  )
}

/** One that died again after an edit has the edited data from then on, and its event the old ones. */
function LastEdit({ redrive }: { readonly redrive: string }) {
  const { data } = useRedrive(redrive)
  if (data?.edited !== true) return null
  return (
    <p className="panel" role="status">
      It was last sent with data that {data.actor} edited <Moment at={data.createdAtMs} />, and failed again:{' '}
      <Link to="redrives" params={{ id: redrive }}>
        look at that redrive
      </Link>
      . The event in the log has the data that it was published with.
    </p>
  )
}

interface DataProps {
  readonly letter: DeadLetter
  readonly edits: boolean
  readonly edit: (edits: boolean) => void
}

function Data({ letter, edits, edit }: DataProps) {
  const { data, claim } = letter.event
  const begins = useFocusBack(edits)
  if (claim !== null && data === null)
    return (
      <p className="panel">
        Its data lie in the object store, and the server cannot read them there now: see whether the store
        runs, and whether this server is given the same <code>claim</code> as those that publish. Redrive
        sends them as they are once it can; nothing can be edited before. Their name: <code>{claim}</code>
      </p>
    )
  return (
    <section className="panel" aria-label="Data">
      <h2>{letter.state === 'dead' ? 'Data' : 'Data that it died with'}</h2>
      {edits ? (
        <Editor letter={letter} leave={() => edit(false)} />
      ) : (
        <Json label="Data of the event" value={data} />
      )}
      {!edits && letter.state === 'dead' && (
        <div className="actions" ref={begins}>
          <Act act={() => edit(true)}>Edit and redrive…</Act>
        </div>
      )}
    </section>
  )
}

const MustFit = ({ schema }: { readonly schema: DeadLetter['schema'] }) =>
  schema !== null &&
  schema !== undefined && (
    <details>
      <summary>What they must fit</summary>
      <Json label="JSON Schema of the data" value={schema} />
    </details>
  )

/** The field takes the focus from the button that makes way for it, and gives it back to that. */
function useFocusBack(edits: boolean) {
  const place = useRef<HTMLDivElement>(null)
  const edited = useRef(edits)
  useEffect(() => {
    if (edited.current && !edits) place.current?.querySelector('button')?.focus()
    edited.current = edits
  }, [edits])
  return place
}

function Editor({ letter, leave }: { readonly letter: DeadLetter; readonly leave: () => void }) {
  // A field draws what is in it: what would be hidden there is written as JSON escapes it.
  const [original] = useState(() => visible(JSON.stringify(letter.event.data, null, 2)))
  const [text, setText] = useState(original)
  const unsent = useUnsent(text !== original)
  // The letter as it was seen: of two who edit it the second is told, and overwrites nothing.
  const [round] = useState(letter.round)
  const [sends, setSends] = useState(false)
  const check = useDoing((data: Written) =>
    post<{ readonly ok: true }>(`/v1/dead-letters/${encodeURIComponent(letter.id)}/check`, { data }),
  )
  const data = new Written(text)
  const fault = faultOf(data)
  const field = useRef<HTMLTextAreaElement>(null)
  useEffect(() => field.current?.focus(), [])
  const verify = () =>
    check.run(data).then(
      () => setSends(true),
      () => undefined,
    )
  return (
    <>
      <p className="field">
        <label htmlFor="data">
          Data, as JSON. The event in the log stays as it is: this letter is sent with what stands here.
        </label>
        <textarea
          id="data"
          ref={field}
          rows={Math.min(30, text.split('\n').length + 2)}
          value={text}
          spellCheck={false}
          aria-invalid={fault !== undefined}
          onChange={({ target }) => {
            setText(target.value)
            check.forget()
          }}
        />
      </p>
      <p role="status" className="field-fault">
        {fault}
      </p>
      {check.problem !== null && <Refused problem={check.problem} />}
      <MustFit schema={letter.schema} />
      <div className="actions">
        <button
          type="button"
          className="primary"
          disabled={fault !== undefined || check.busy}
          onClick={() => void verify()}
        >
          Check and redrive…
        </button>
        <button type="button" onClick={() => whenFree(leave)}>
          Leave it
        </button>
      </div>
      {sends && (
        <RedriveQuestion
          filter={{ ids: [letter.id], round }}
          data={data}
          close={() => setSends(false)}
          accepted={unsent.sent}
        />
      )}
      {unsent.question}
    </>
  )
}

const runColumns: readonly Column<Run>[] = [
  {
    name: 'Attempt',
    cell: ({ round, attempt }) => (round === 0 ? `${attempt}` : `${attempt}, redrive ${round}`),
  },
  { name: 'Outcome', cell: ({ outcome }) => <Badge state={outcome} /> },
  { name: 'Took', kind: 'number', cell: ({ durationMs }) => duration(durationMs) },
  { name: 'Failure', kind: 'long', cell: ({ failure }) => failure?.message },
  { name: 'Worker', kind: 'wide', cell: ({ worker }) => worker },
  { name: 'Began', cell: ({ startedAtMs }) => <Moment at={startedAtMs} /> },
]

function Attempts({ letter: { id, event, tenant } }: { readonly letter: DeadLetter }) {
  const asked = useAnswer<EventDetails>(`/v1/events/${encodeURIComponent(event.id)}`, { tenant })
  // By its id: a replay into the same subscription is another delivery of the event.
  const runs = asked.data?.deliveries.find((delivery) => delivery.id === id)?.runs
  if (runs === undefined || runs.length === 0) return null
  return (
    <section aria-label="Attempts">
      <h2>Attempts</h2>
      <Rows
        caption="Attempts of this delivery"
        columns={runColumns}
        items={runs}
        keyOf={({ round, attempt }) => `${round}.${attempt}`}
      />
    </section>
  )
}
