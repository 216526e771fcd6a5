// Redrives: those that ran, and one with its progress and a way to stop it.
import { useState } from 'react'
import { useDoing, usePages } from '../api/asking.js'
import { post } from '../api/client.js'
import type { Redrive } from '../api/views.js'
import { Act } from '../parts/act.js'
import { Acts } from '../parts/acts.js'
import { Badge } from '../parts/badge.js'
import { Progress } from '../parts/chart.js'
import { Question, Reason, reasonIn } from '../parts/dialog.js'
import { Facts, Json } from '../parts/facts.js'
import { count, counted } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { type Column, Rows } from '../parts/rows.js'
import { Empty, Shown } from '../parts/standing.js'
import { Link } from '../route/link.js'
import { usePlace } from '../route/place.js'
import { useRedrive } from './dead-letter-actions.js'
import { SentWith } from './sent-with.js'

const columns: readonly Column<Redrive>[] = [
  {
    name: 'Redrive',
    cell: ({ id }) => (
      <Link to="redrives" params={{ id }}>
        <code>{id}</code>
      </Link>
    ),
  },
  { name: 'State', cell: ({ state }) => <Badge state={state} /> },
  {
    name: 'Letters',
    kind: 'number',
    cell: ({ selected, edited }) => (edited ? `${count(selected)}, edited` : count(selected)),
  },
  { name: 'Succeeded', kind: 'wide number', cell: ({ succeeded }) => count(succeeded) },
  { name: 'Failed', kind: 'wide number', cell: ({ failed }) => count(failed) },
  { name: 'Reason', kind: 'long', cell: ({ reason }) => reason },
  {
    name: 'Asked by',
    cell: ({ actor }) => (
      <span className="brief" title={actor}>
        {actor}
      </span>
    ),
  },
  { name: 'Began', cell: ({ createdAtMs }) => <Moment at={createdAtMs} /> },
]

export function Redrives() {
  const { params } = usePlace()
  const id = params.get('id')
  const asked = usePages<Redrive>('/v1/redrives')
  if (id !== null) return <One id={id} />
  return (
    <>
      <Heading title="Redrives" />
      <Shown asked={asked}>
        {(items) =>
          items.length === 0 ? (
            <Empty title="Nothing was redriven yet">
              Choose a group of <Link to="dead-letters">dead letters</Link>, look at what would be sent, and
              send it.
            </Empty>
          ) : (
            <Rows
              caption="Redrives, newest first"
              keyOf={({ id: own }) => own}
              {...{ columns, items, more: asked.more, loading: asked.loading }}
            />
          )
        }
      </Shown>
    </>
  )
}

function One({ id }: { readonly id: string }) {
  const asked = useRedrive(id)
  return (
    <>
      <Heading title={`Redrive ${id}`} above={<Link to="redrives">Redrives</Link>} />
      <Shown asked={asked}>{(redrive) => <Details redrive={redrive} />}</Shown>
    </>
  )
}

function Details({ redrive }: { readonly redrive: Redrive }) {
  const [asks, setAsks] = useState(false)
  const { selected, succeeded, failed, state, endedAtMs } = redrive
  const ended = succeeded + failed
  return (
    <section className="panel" aria-label="Progress">
      <p className="failure" role="status">
        <Badge state={state} /> {count(succeeded)} of {counted(selected, 'dead letter')} succeeded
        {failed > 0 && `, ${count(failed)} failed again`}
      </p>
      <Progress part={selected === 0 ? 1 : ended / selected} label={`${ended} of ${selected} ended`} />
      {redrive.note !== null && <p>{redrive.note}</p>}
      <Facts
        of={[
          ['Sent', count(redrive.sent)],
          ['Rate', `at most ${count(redrive.rate)} letters sent a second`],
          ['Canary', counted(redrive.canary, 'letter')],
          ['Stops at', `${Math.round(redrive.stopAtErrorRate * 100)} % that failed again`],
          ['Asked for by', redrive.actor],
          ['Edited by', redrive.edited ? redrive.actor : undefined],
          ['Reason', redrive.reason],
          ['All that was done with it', <Acts key="acts" target={redrive.id} />],
          ['Began', <Moment key="began" at={redrive.createdAtMs} />],
          ['Ended', endedAtMs === null ? undefined : <Moment key="ended" at={endedAtMs} />],
        ]}
      />
      <h2>Selected by</h2>
      <Json label="Filter of the redrive" value={redrive.filter} />
      <SentWith redrive={redrive} />
      {endedAtMs === null && (
        <div className="actions">
          <Act look="harmful" act={() => setAsks(true)}>
            Stop…
          </Act>
        </div>
      )}
      {asks && <StopQuestion redrive={redrive} close={() => setAsks(false)} />}
    </section>
  )
}

function StopQuestion({
  redrive: { id, selected, sent },
  close,
}: {
  readonly redrive: Redrive
  readonly close: () => void
}) {
  const { run, busy, problem } = useDoing((form: FormData) =>
    post(`/v1/redrives/${encodeURIComponent(id)}/stop`, reasonIn(form)),
  )
  return (
    <Question
      title="Stop the redrive"
      act={`Stop, ${count(selected - sent)} not sent`}
      harmful
      {...{ busy, problem, close }}
      submit={(form) => void run(form).then(close, () => undefined)}
    >
      <p>
        What was sent goes on. {counted(selected - sent, 'letter')} that were not become dead letters again.
      </p>
      <Reason />
    </Question>
  )
}
