// One dead letter: why, of what, after which attempts; and its data, to be mended and sent again.
import { useState } from 'react'
import { useAnswer, useDoing } from '../api/asking.js'
import { post } from '../api/client.js'
import type { DeadLetter, EventDetails, Run } from '../api/views.js'
import { Act } from '../parts/act.js'
import { Badge } from '../parts/badge.js'
import { Facts, Json } from '../parts/facts.js'
import { count, duration } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { type Column, Rows } from '../parts/rows.js'
import { Refused, Shown } from '../parts/standing.js'
import { useUnsent } from '../parts/unsent.js'
import { Link } from '../route/link.js'
import { LetterActions, RedriveQuestion } from './dead-letter-actions.js'

export function Letter({ id }: { readonly id: string }) {
  const asked = useAnswer<DeadLetter>(`/v1/dead-letters/${encodeURIComponent(id)}`)
  return (
    <>
      <Heading title={id} above={<Link to="dead-letters">Dead letters</Link>} />
      <Shown asked={asked}>{(letter) => <Details letter={letter} />}</Shown>
    </>
  )
}

function Details({ letter }: { readonly letter: DeadLetter }) {
  const { event, failure, subscription } = letter
  return (
    <>
      {letter.state === 'dead' && <LetterActions filter={{ ids: [letter.id] }} />}
      <section className="panel" aria-label="Failure">
        <p className="failure">
          <Badge state={letter.state} /> {failure.name}: {failure.message}
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
      <Data key={letter.id} letter={letter} />
      <Attempts event={event.id} subscription={subscription} tenant={letter.tenant} />
    </>
  )
}

function factsOf({ event, failure, ...letter }: DeadLetter) {
  return [
    [
      'Event',
      <Link key="event" to="events" params={{ id: event.id, tenant: letter.tenant }}>
        {event.type} <code>{event.id}</code>
      </Link>,
    ],
    ['Version of the event', event.version],
    ['Subscription', letter.subscription],
    ['Category', failure.category],
    ['Same fault', <SameFault key="same" subscription={letter.subscription} failure={failure} />],
    ['Key', event.key],
    ['Halts its key', letter.halts ? 'yes: what follows with this key waits' : undefined],
    ['Tenant', letter.tenant],
    ['Attempts', count(letter.attempts)],
    ['Redriven', letter.round === 0 ? 'never' : `${letter.round} times`],
    ['Died', <Moment key="died" at={letter.diedAtMs} />],
    [
      'Resolved',
      letter.resolvedAtMs === null ? undefined : <Moment key="resolved" at={letter.resolvedAtMs} />,
    ],
    ['Resolved by', letter.resolvedBy],
    ['Reason', letter.reason],
  ] as const
}

function SameFault({ subscription, failure }: Pick<DeadLetter, 'subscription' | 'failure'>) {
  const { category, fingerprint } = failure
  return (
    <Link to="dead-letters" params={{ subscription, category, fingerprint }}>
      <code>{fingerprint}</code>
    </Link>
  )
}

function Data({ letter }: { readonly letter: DeadLetter }) {
  const [edits, setEdits] = useState(false)
  const { data, claim } = letter.event
  if (claim !== null && data === null)
    return (
      <p className="panel">
        Its data lie in the object store: <code>{claim}</code>
      </p>
    )
  return (
    <section className="panel" aria-label="Data">
      <h2>Data</h2>
      {edits ? (
        <Editor letter={letter} leave={() => setEdits(false)} />
      ) : (
        <Json label="Data of the event" value={data} />
      )}
      {!edits && letter.state === 'dead' && (
        <div className="actions">
          <Act act={() => setEdits(true)}>Edit and redrive…</Act>
        </div>
      )}
    </section>
  )
}

function Editor({ letter, leave }: { readonly letter: DeadLetter; readonly leave: () => void }) {
  const [original] = useState(() => JSON.stringify(letter.event.data, null, 2))
  const [text, setText] = useState(original)
  const unsent = useUnsent(text !== original)
  // The letter as it was seen: of two who edit it the second is told, and overwrites nothing.
  const [round] = useState(letter.round)
  const [sends, setSends] = useState(false)
  const check = useDoing((data: unknown) =>
    post<{ readonly ok: true }>(`/v1/dead-letters/${encodeURIComponent(letter.id)}/check`, { data }),
  )
  const { data, fault } = parsed(text)
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
      {letter.schema !== null && letter.schema !== undefined && (
        <details>
          <summary>What they must fit</summary>
          <Json label="JSON Schema of the data" value={letter.schema} />
        </details>
      )}
      <div className="actions">
        <button
          type="button"
          className="primary"
          disabled={fault !== undefined || check.busy}
          onClick={() => void verify()}
        >
          Check and redrive…
        </button>
        <button type="button" onClick={leave}>
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

function parsed(text: string): { readonly data?: unknown; readonly fault?: string } {
  try {
    return { data: JSON.parse(text) }
  } catch (error) {
    return { fault: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` }
  }
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

interface AttemptsProps {
  readonly event: string
  readonly subscription: string
  readonly tenant: string
}

function Attempts({ event, subscription, tenant }: AttemptsProps) {
  const asked = useAnswer<EventDetails>(`/v1/events/${encodeURIComponent(event)}`, { tenant })
  const runs = asked.data?.deliveries.find((delivery) => delivery.subscription === subscription)?.runs
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
