// What can be done with dead letters: send them again, with a look at what that means first, or discard them.

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAnswer, useDoing } from '../api/asking.js'
import type { Written } from '../api/body.js'
import { get, post, type Query } from '../api/client.js'
import type { Problem } from '../api/problem.js'
import type { DeadLetter, Page, Redrive, RedrivePreview } from '../api/views.js'
import { Act } from '../parts/act.js'
import { Field, number, Question, Reason, written } from '../parts/dialog.js'
import { count, counted } from '../parts/format.js'
import { Refused, Waiting } from '../parts/standing.js'
import { go, hrefOf } from '../route/place.js'
import { sentWithin } from './sending-time.js'

export type LetterFilter = Readonly<Record<string, unknown>>

interface ActionsProps {
  readonly filter: LetterFilter
  /** False where they are dead no more. A question that is open then stays. Default true. */
  readonly offered?: boolean
  /** Called when they are discarded. */
  readonly discarded?: () => void
}

export function LetterActions({ filter, offered = true, discarded }: ActionsProps) {
  const [asks, setAsks] = useState<'redrive' | 'discard'>()
  const close = () => setAsks(undefined)
  if (!offered && asks === undefined) return null
  return (
    <div className="actions bar">
      <Act look="primary" act={() => setAsks('redrive')}>
        Redrive…
      </Act>
      <Act right="admin" look="harmful" act={() => setAsks('discard')}>
        Discard…
      </Act>
      {asks === 'redrive' && <RedriveQuestion filter={filter} close={close} />}
      {asks === 'discard' && (
        <DiscardQuestion filter={filter} close={close} {...(discarded && { discarded })} />
      )}
    </div>
  )
}

interface Counted {
  readonly preview: RedrivePreview
  /** Of what was counted alone: letters that die while somebody thinks are none of it. */
  readonly filter: LetterFilter
}

/** What the filter selects as the question is asked. A look is a POST, so it is not among the answers that pages keep asking for.
 *  `roundsMax`: letters that were sent so often are counted, too. */
function useCounted(filter: LetterFilter, roundsMax?: number) {
  return useQuery<Counted, Problem>({
    queryKey: ['counted letters', filter, roundsMax],
    ...{ staleTime: Number.POSITIVE_INFINITY, gcTime: 0 },
    queryFn: async ({ signal }) => {
      const [newest] = 'ids' in filter ? [] : await newestOf(filter, signal)
      const before =
        newest === undefined ? {} : { diedBefore: new Date(Math.ceil(newest.diedAtMs) + 1).toISOString() }
      const bounded = { ...filter, ...before }
      const preview = await post<RedrivePreview>('/v1/redrives/preview', {
        filter: bounded,
        ...(roundsMax === undefined ? {} : { roundsMax }),
      })
      return { preview, filter: bounded }
    },
  })
}

const newestOf = async (filter: LetterFilter, signal: AbortSignal) =>
  (await get<Page<DeadLetter>>('/v1/dead-letters', { ...(filter as Query), limit: 1 }, signal)).items

const rateDefault = 50
const canaryDefault = 10

interface RedriveProps {
  readonly filter: LetterFilter
  readonly close: () => void
  /** In place of the data of the one letter that is named. */
  readonly data?: Written
  /** Called when it is accepted, before its page is shown. */
  readonly accepted?: () => void
}

export function RedriveQuestion({ filter, close, data, accepted }: RedriveProps) {
  const counting = useCounted(filter)
  // The same question asked twice, by a second click or after a lost answer, is one redrive.
  const [idempotencyKey] = useState(() => `console-${crypto.randomUUID()}`)
  const { run, busy, problem } = useDoing((body: unknown) => post<Redrive>('/v1/redrives', body))
  const selected = counting.data?.preview.selected ?? 0
  const [rate, setRate] = useState(rateDefault)
  const submit = async (form: FormData) => {
    const options = {
      ...{ rate: number(form, 'rate'), canary: number(form, 'canary'), reason: written(form, 'reason') },
      ...(data === undefined ? {} : { data }),
    }
    const redrive = await run({ filter: counting.data?.filter, idempotencyKey, ...options }).catch(
      () => undefined,
    )
    if (redrive === undefined) return
    accepted?.()
    go(hrefOf('redrives', { id: redrive.id }))
  }
  return (
    <Question
      title={data === undefined ? 'Redrive dead letters' : 'Redrive with new data'}
      act={`Redrive ${counted(selected, 'dead letter')}`}
      ready={selected > 0}
      {...{ busy, problem, close }}
      submit={(form) => void submit(form)}
    >
      {counting.data === undefined ? (
        counting.error === null ? (
          <Waiting />
        ) : (
          <Refused problem={counting.error} again={() => void counting.refetch()} />
        )
      ) : (
        <Preview preview={counting.data.preview} rate={rate} edits={data !== undefined} />
      )}
      {selected > 1 && (
        <>
          <Field
            label="Rate, letters sent a second"
            name="rate"
            type="number"
            value={rateDefault}
            required
            changed={(value) => setRate(Number(value))}
            min={0.01}
            max={10_000}
            step="any"
            hint="At most, by all workers together. It paces the sending: how fast they are handled is up to the subscription, its concurrency, rate and breaker, and what fails is retried beside it."
          />
          <Field
            label="Canary, letters that go first"
            name="canary"
            type="number"
            value={canaryDefault}
            required
            min={0}
            max={10_000}
            hint="The rest follows when these end well. It stops when half of those that ended have failed again."
          />
        </>
      )}
      <Reason />
    </Question>
  )
}

interface PreviewProps {
  readonly preview: RedrivePreview
  /** Letters sent a second. */
  readonly rate: number
  readonly edits: boolean
}

function Preview({ preview: { selected, guarded, groups }, rate, edits }: PreviewProps) {
  if (edits && selected === 0 && guarded === 0)
    return (
      <p role="alert">
        Somebody was faster: this letter was sent again or discarded since you looked at it. Nothing of theirs
        is overwritten. What you wrote stays in the page behind this question.
      </p>
    )
  return (
    <>
      <p>
        <strong>{counted(selected, 'dead letter')}</strong> would be sent again
        {selected > 1 && sentWithin(selected, rate)}.
        {guarded > 0 &&
          ` ${counted(guarded, 'further one')} would be left alone: redriven too often before. Mend the cause first.`}
      </p>
      <ul className="plain">
        {groups.map(({ subscription, category, fingerprint, message, count: letters }) => (
          <li key={`${subscription} ${category} ${fingerprint}`}>
            {count(letters)} × <strong>{subscription}</strong>, {category}: {message}
          </li>
        ))}
      </ul>
    </>
  )
}

interface DiscardProps extends ActionsProps {
  readonly close: () => void
}

function DiscardQuestion({ filter, close, discarded }: DiscardProps) {
  // Guarded ones are discarded too, so no round is too many to be counted.
  const counting = useCounted(filter, 1_000)
  const { run, busy, problem } = useDoing((reason: string | undefined) =>
    post<{ readonly discarded: number }>('/v1/dead-letters/discard', {
      filter: counting.data?.filter,
      reason,
    }),
  )
  const selected = counting.data?.preview.selected ?? 0
  const submit = async (form: FormData) => {
    const done = await run(written(form, 'reason')).catch(() => undefined)
    if (done === undefined) return
    close()
    discarded?.()
  }
  return (
    <Question
      title="Discard dead letters"
      act={`Discard ${counted(selected, 'dead letter')}`}
      harmful
      ready={selected > 0}
      {...{ busy, problem, close }}
      submit={(form) => void submit(form)}
    >
      <p>
        {counting.error !== null && <Refused problem={counting.error} />}
        <strong>{counted(selected, 'dead letter')}</strong> will never be sent again. They stay in the list as
        discarded, and what waits behind them goes on.
      </p>
      <Reason required />
    </Question>
  )
}

export const useRedrive = (id: string | undefined) =>
  useAnswer<Redrive>(id === undefined ? undefined : `/v1/redrives/${encodeURIComponent(id)}`, {}, 1_000)
