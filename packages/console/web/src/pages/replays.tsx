// Replays of one subscription: how far each is, how fast, how long yet, and a way to stop it.
import { useState } from 'react'
import { useAnswer, useDoing } from '../api/asking.js'
import { post } from '../api/client.js'
import type { Replay } from '../api/views.js'
import { Act } from '../parts/act.js'
import { Acts } from '../parts/acts.js'
import { Badge } from '../parts/badge.js'
import { Progress } from '../parts/chart.js'
import { Question, Reason, reasonIn } from '../parts/dialog.js'
import { Facts } from '../parts/facts.js'
import { count, counted, duration, perSecond } from '../parts/format.js'
import { Moment, useNow } from '../parts/moment.js'
import { type Column, Rows } from '../parts/rows.js'

interface ReplaysProps {
  readonly subscription: string
}

export function useReplays(subscription: string): readonly Replay[] {
  const asked = useAnswer<{ readonly items: readonly Replay[] }>('/v1/replays', { limit: 100 })
  return asked.data?.items.filter((replay) => replay.subscription === subscription) ?? []
}

/** What is going on now, with a hand on it. The question whether to stop one stays when it ends meanwhile, and says so. */
export function RunningReplays({ subscription, paused }: ReplaysProps & { readonly paused: boolean }) {
  const own = useReplays(subscription)
  const [stops, setStops] = useState<string>()
  const stopped = own.find(({ id }) => id === stops)
  return (
    <>
      {own
        .filter(({ state }) => state === 'running')
        .map((replay) => (
          <Running key={replay.id} {...{ replay, paused }} stop={() => setStops(replay.id)} />
        ))}
      {stopped !== undefined && <StopQuestion replay={stopped} close={() => setStops(undefined)} />}
    </>
  )
}

export function Replays({ subscription }: ReplaysProps) {
  const own = useReplays(subscription)
  if (own.length === 0) return null
  return (
    <section aria-label="Replays">
      <h2>Replays</h2>
      <Rows
        caption="Replays of this subscription, newest first"
        columns={columns}
        items={own}
        keyOf={({ id }) => id}
      />
    </section>
  )
}

export const percent = (part: number) => `${Math.floor(part * 100)} %`

/** Of what it did since it began: it may have waited for a worker. */
function paceOf({ completed, progress, createdAtMs }: Replay, nowMs: number) {
  const ms = Math.max(1, nowMs - createdAtMs)
  const leftMs = progress > 0 ? (ms * (1 - progress)) / progress : undefined
  return { rate: (completed / ms) * 1_000, leftMs }
}

interface RunningProps {
  readonly replay: Replay
  readonly paused: boolean
  readonly stop: () => void
}

function Running({ replay, paused, stop }: RunningProps) {
  const { rate, leftMs } = paceOf(replay, useNow())
  const { progress, completed, retrying, dead } = replay
  return (
    <section className="panel" aria-label="Running replay">
      <p>
        <Badge state="running" /> Replay: {percent(progress)} passed, {counted(completed, 'event')} delivered
        {retrying > 0 && `, ${count(retrying)} retrying`}
        {dead > 0 && `, ${count(dead)} dead`}
        {paused && '. It waits: its subscription is paused'}
      </p>
      <Progress part={progress} label={`${percent(progress)} of the replay passed`} />
      <Facts
        of={[
          ['Rate, since it began', perSecond(rate)],
          ['Left, at that rate', leftMs === undefined ? 'not known yet' : `about ${duration(leftMs)}`],
          ['Began', <Moment key="began" at={replay.createdAtMs} />],
          ['Asked for by', replay.actor],
          ['All that was done with it', <Acts key="acts" target={replay.id} />],
        ]}
      />
      <div className="actions">
        <Act look="harmful" act={stop}>
          Stop…
        </Act>
      </div>
    </section>
  )
}

const stopLookMs = 1_000

interface StopProps {
  readonly replay: Replay
  readonly close: () => void
}

function StopQuestion({ replay, close }: StopProps) {
  const { id, subscription } = replay
  // Asked for anew while somebody reads what they are about to end.
  const asked = useAnswer<Replay>(`/v1/replays/${encodeURIComponent(id)}`, {}, stopLookMs)
  const { state, progress, matched, completed, retrying, dead } = asked.data ?? replay
  const { run, busy, problem } = useDoing((form: FormData) =>
    post<Replay>(`/v1/replays/${encodeURIComponent(id)}/stop`, reasonIn(form)),
  )
  const isOver = !busy && state !== 'running'
  return (
    <Question
      title={`Stop the replay into ${subscription}`}
      act="Stop 1 replay"
      harmful
      {...{ busy, problem, close }}
      ready={!isOver}
      submit={(form) => void run(form).then(close, () => undefined)}
    >
      <p role="status" className="changed">
        {isOver && `It has ended meanwhile: it is ${state}. Nothing is left to do.`}
      </p>
      <p>
        It is at {percent(progress)}. Of {counted(matched, 'event')} that it came to {count(completed)} were
        delivered and stay so
        {dead > 0 && `; ${count(dead)} died, and their dead letters stay`}
        {retrying > 0 && `; ${count(retrying)} that wait for another attempt are let go`}. The rest of the
        range is passed over, and what comes live is none of its affair. It does not go on later: another
        replay begins where you say.
      </p>
      <Reason />
    </Question>
  )
}

const columns: readonly Column<Replay>[] = [
  { name: 'State', cell: ({ state }) => <Badge state={state} /> },
  {
    name: 'Progress',
    cell: ({ progress }) => <Progress part={progress} label={`${percent(progress)} replayed`} />,
  },
  {
    name: 'Completed',
    kind: 'number',
    cell: ({ completed, matched }) => `${count(completed)} of ${count(matched)}`,
  },
  { name: 'Dead', kind: 'wide number', cell: ({ dead }) => count(dead) },
  {
    name: 'From',
    kind: 'wide',
    cell: ({ fromMs }) => (fromMs === null ? 'the beginning' : <Moment at={fromMs} />),
  },
  {
    name: 'Asked by',
    kind: 'long',
    cell: ({ id, actor }) => (
      <span title={actor}>
        {actor}, <Acts target={id} />
      </span>
    ),
  },
  { name: 'Began', cell: ({ createdAtMs }) => <Moment at={createdAtMs} /> },
]
