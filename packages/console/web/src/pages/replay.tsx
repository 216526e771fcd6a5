// A replay is asked for once, with a look at what it delivers again.
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useDoing } from '../api/asking.js'
import { post } from '../api/client.js'
import type { Problem } from '../api/problem.js'
import type { Replay, ReplayPreview } from '../api/views.js'
import { useMay } from '../frame/session.js'
import { Field, Question, Reason, reasonIn, written } from '../parts/dialog.js'
import { count, counted } from '../parts/format.js'
import { Moment } from '../parts/moment.js'
import { Refused } from '../parts/standing.js'
import { percent, useReplays } from './replays.js'

interface ReplayProps {
  readonly subscription: string
  /** Its handler may call the world. */
  readonly external: boolean
  readonly close: () => void
}

/** A field of the browser has no zone: it is that of the one who looks. */
const fromOf = (field: string | undefined) =>
  field === undefined || field === '' ? 'beginning' : new Date(field).toISOString()

export function ReplayQuestion({ subscription, external, close }: ReplayProps) {
  const [from, setFrom] = useState('beginning')
  const preview = usePreview(subscription, from)
  const admin = useMay('admin')
  const [untold, setUntold] = useState(false)
  const { run, busy, problem } = useDoing((body: unknown) => post<Replay>('/v1/replays', body))
  const submit = async (form: FormData) => {
    setUntold(external && !form.has('external'))
    if (external && !form.has('external')) return
    const body = {
      ...{ subscription, from: fromOf(written(form, 'from')) },
      ...(form.has('external') && { external: true }),
      ...reasonIn(form),
    }
    await run(body).then(close, () => undefined)
  }
  return (
    <Question
      title={`Replay into ${subscription}`}
      act={preview.data === undefined ? 'Replay' : `Replay ${deliveries(preview.data)}`}
      ready={!preview.isPending && !isEmpty(preview.data) && (admin || !external)}
      {...{ busy, problem, close }}
      submit={(form) => void submit(form)}
    >
      <p>History is delivered again to this subscription alone.</p>
      <Preview preview={preview} from={from} />
      <RunningAlready subscription={subscription} />
      <Field
        label="From (empty: the beginning)"
        name="from"
        type="datetime-local"
        changed={(field) => setFrom(fromOf(field))}
      />
      <World {...{ external, admin, untold }} />
      <Reason />
    </Question>
  )
}

/** Who asks a second time seldom wants two. */
function RunningAlready({ subscription }: Pick<ReplayProps, 'subscription'>) {
  const running = useReplays(subscription).filter(({ state }) => state === 'running')
  return running.map(({ id, actor, createdAtMs, progress }) => (
    <p key={id} role="status" className="changed">
      A replay that {actor} began <Moment at={createdAtMs} /> is running into it: {percent(progress)} passed.
      This one would run beside it, and what lies in both is delivered by both.
    </p>
  ))
}

interface WorldProps extends Pick<ReplayProps, 'external'> {
  readonly admin: boolean
  /** It was to begin without a word on this. */
  readonly untold: boolean
}

// Only where it may call the world is there anything to allow.
function World({ external, admin, untold }: WorldProps) {
  if (!external)
    return (
      <p className="field faint">
        By its definition its handler calls nothing outside: it is transactional, or declared so. Nothing is
        sent to the world again.
      </p>
    )
  if (!admin)
    return (
      <p className="field faint">
        A handler that calls the world is replayed by an admin alone: what it sends cannot be called back.
      </p>
    )
  return (
    <>
      <p className="field check">
        <label>
          <input type="checkbox" name="external" aria-invalid={untold} /> The handler may call the world again
        </label>
      </p>
      <p role="alert" className="field-fault">
        {untold &&
          'Tick the box above if e-mails, payments and whatever else it does may be sent again. Without that it is not replayed.'}
      </p>
    </>
  )
}

// Asked as the start is chosen, and not again by itself: a look reads what it counts.
const usePreview = (subscription: string, from: string) =>
  useQuery<ReplayPreview, Problem>({
    queryKey: ['replay preview', subscription, from],
    ...{ staleTime: Number.POSITIVE_INFINITY, gcTime: 0 },
    queryFn: () => post<ReplayPreview>('/v1/replays/preview', { subscription, from }),
  })

/** There is nothing to deliver. What could not be looked at may be something. */
const isEmpty = (preview: ReplayPreview | undefined) => preview?.events === 0 && preview.beyond === 0

/** "At least none" would sound like none. */
const deliveries = ({ events, beyond }: ReplayPreview) =>
  events === 0 && beyond > 0
    ? 'an unknown number of events'
    : `${beyond > 0 ? 'at least ' : ''}${counted(events, 'event')}`

interface PreviewProps {
  readonly preview: ReturnType<typeof usePreview>
  readonly from: string
}

function Preview({ preview: { data, error, refetch }, from }: PreviewProps) {
  if (error !== null) return <Refused problem={error} again={() => void refetch()} />
  const since = from === 'beginning' ? 'From the beginning' : 'From there on'
  return (
    <p role="status">
      {since} it delivers <strong>{data === undefined ? '…' : deliveries(data)}</strong>
      {data !== undefined &&
        data.beyond > 0 &&
        `: ${data.events === 0 ? 'none' : 'so many'} of the first ${count(data.scanned)} that were looked at. About ${counted(data.beyond, 'event')} of all kinds lie behind them`}
      .
    </p>
  )
}
