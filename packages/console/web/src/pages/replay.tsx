// A replay is asked for once, with a look at what it delivers again.
import { useState } from 'react'
import { useAnswer, useDoing } from '../api/asking.js'
import { post } from '../api/client.js'
import type { EventView, Page, Replay, Subscription } from '../api/views.js'
import { useMay } from '../frame/session.js'
import { Field, Question, Reason, written } from '../parts/dialog.js'
import { count } from '../parts/format.js'
import { Moment } from '../parts/moment.js'

interface ReplayProps {
  readonly subscription: string
  readonly close: () => void
}

export function ReplayQuestion({ subscription, close }: ReplayProps) {
  const admin = useMay('admin')
  const [external, setExternal] = useState(false)
  const standing = useAnswer<Subscription>(`/v1/subscriptions/${encodeURIComponent(subscription)}`, {}, 0)
  const first = useAnswer<Page<EventView>>('/v1/events', { order: 'oldest', limit: 1 }, 0)
  const { run, busy, problem } = useDoing((body: unknown) => post<Replay>('/v1/replays', body))
  const submit = (form: FormData) => {
    const from = written(form, 'from')
    const body = {
      ...{ subscription, external, reason: written(form, 'reason') },
      from: from === undefined ? 'beginning' : new Date(from).toISOString(),
    }
    return run(body).then(close, () => undefined)
  }
  return (
    <Question
      title={`Replay into ${subscription}`}
      act="Replay into 1 subscription"
      {...{ busy, problem, close }}
      submit={(form) => void submit(form)}
    >
      <p>
        History is delivered again to this subscription alone. From the beginning that is up to{' '}
        <strong>{standing.data === undefined ? '…' : count(standing.data.matched)} events</strong>
        {first.data?.items[0] !== undefined && (
          <>
            , the oldest recorded <Moment at={first.data.items[0].recordedAt} />
          </>
        )}
        .
      </p>
      <Field label="From (empty: the beginning)" name="from" type="datetime-local" />
      {admin ? (
        <p className="field check">
          <label>
            <input
              type="checkbox"
              checked={external}
              onChange={({ target }) => setExternal(target.checked)}
            />{' '}
            The handler may call the world again
          </label>
        </p>
      ) : (
        <p className="field faint">
          A handler that calls the world is replayed by an admin alone: what it sends cannot be called back.
        </p>
      )}
      <Reason />
    </Question>
  )
}
