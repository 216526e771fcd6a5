// A hand on one instance: decide what it asks, signal, cancel, retry, restart, terminate.
import { useState } from 'react'
import { addressOf, useDoing } from '../api/asking.js'
import { faultOf, Written } from '../api/body.js'
import { post } from '../api/client.js'
import type { InstanceDetails } from '../api/views.js'
import type { Right } from '../frame/session.js'
import { Act } from '../parts/act.js'
import { Choice, Field, Question, Reason, reasonIn, written } from '../parts/dialog.js'
import { Moment } from '../parts/moment.js'
import { go, hrefOf } from '../route/place.js'

type Verb = 'signal' | 'cancel' | 'retry' | 'restart' | 'terminate'

const pathOf = ({ workflow, id, tenant }: InstanceDetails, act: string) =>
  addressOf(`/v1/workflows/${encodeURIComponent(workflow)}/${encodeURIComponent(id)}/${act}`, { tenant })

interface Offered {
  readonly act: Verb
  readonly title: string
  /** On the button that does it. */
  readonly does: string
  readonly says: string
  readonly harmful?: boolean
  readonly right?: Right
  readonly when: (instance: InstanceDetails) => boolean
}

const ended = ({ endedAtMs }: InstanceDetails) => endedAtMs !== null

const offers: readonly Offered[] = [
  {
    ...{
      act: 'retry',
      title: 'Retry',
      does: 'Retry 1 instance',
      when: ({ attention }) => attention !== null,
    },
    says: 'What halts it is sent again. Mend the cause first.',
  },
  {
    ...{ act: 'signal', title: 'Signal', does: 'Send 1 signal', when: (instance) => !ended(instance) },
    says: 'Kept until the instance asks for it.',
  },
  {
    ...{
      act: 'cancel',
      title: 'Cancel',
      does: 'Cancel 1 instance',
      harmful: true,
      // What undoes already ends so by itself.
      when: (one) => !ended(one) && one.state !== 'compensating',
    },
    says: 'What is under way comes to its end, then all that was done is undone. Behind its point of no return it refuses.',
  },
  {
    ...{
      act: 'terminate',
      title: 'Terminate',
      does: 'Terminate 1 instance',
      harmful: true,
      right: 'admin',
      when: (one) => !ended(one),
    },
    says: 'It ends where it stands and nothing is undone. For what cancelling does not reach.',
  },
  {
    ...{ act: 'restart', title: 'Restart', does: 'Start 1 new instance', when: ended },
    says: 'Another instance on the newest version, with the same input and all that this one did before the step.',
  },
]

export function WorkflowActions({ instance }: { readonly instance: InstanceDetails }) {
  const [asks, setAsks] = useState<Offered>()
  return (
    <>
      {offers
        .filter(({ when }) => when(instance))
        .map((offer) => (
          <Act
            key={offer.act}
            {...(offer.right !== undefined && { right: offer.right })}
            {...(offer.harmful === true && { look: 'harmful' })}
            act={() => setAsks(offer)}
          >
            {offer.title}…
          </Act>
        ))}
      {asks !== undefined && (
        <ActQuestion instance={instance} offer={asks} close={() => setAsks(undefined)} />
      )}
    </>
  )
}

interface ActProps {
  readonly instance: InstanceDetails
  readonly offer: Offered
  readonly close: () => void
}

function ActQuestion({ instance, offer, close }: ActProps) {
  const { act, title, does, says, harmful = false } = offer
  const [fault, setFault] = useState<string>()
  const { run, busy, problem } = useDoing((body: unknown) =>
    post<{ readonly workflow: string; readonly id: string; readonly tenant?: string }>(
      pathOf(instance, act),
      body,
    ),
  )
  const submit = async (form: FormData) => {
    const body = bodyOf(act, form)
    setFault(typeof body === 'string' ? body : undefined)
    if (typeof body === 'string') return
    const done = await run(body).catch(() => undefined)
    if (done === undefined) return
    close()
    if (act === 'restart')
      go(hrefOf('workflows', { workflow: done.workflow, id: done.id, tenant: done.tenant }))
  }
  return (
    <Question
      title={`${title} ${instance.workflow} ${instance.id}`}
      act={does}
      {...{ harmful, busy, problem, close }}
      submit={(form) => void submit(form)}
    >
      <p>{says}</p>
      {act === 'signal' && (
        <>
          <NameOfSignal of={instance} />
          <Field label="Payload, as JSON" name="payload" />
          <p role="status" className="field-fault">
            {fault}
          </p>
        </>
      )}
      {act === 'restart' && <Choice label="From the step" name="from" options={stepsOf(instance)} />}
      <Reason />
    </Question>
  )
}

/** What it waits for is offered, and written where that is one thing. Another name may be sent beforehand. */
function NameOfSignal({ of: { waits } }: { readonly of: InstanceDetails }) {
  const names = [...new Set(waits.filter(({ kind }) => kind === 'signal').map(({ name }) => name))]
  const [only] = names.length === 1 ? names : []
  return (
    <Field
      label="Name of the signal"
      name="name"
      hint={names.length === 0 ? 'It waits for none now.' : `It waits for ${names.join(', ')}.`}
      required
      offers={names}
      {...(only !== undefined && { value: only })}
    />
  )
}

const ofSteps = /^step-/

/** Where a new instance may begin, in the order in which this one came there. One of several with the same name is named by its
 *  place. */
function stepsOf({ history }: InstanceDetails): readonly (readonly [string, string])[] {
  const steps = new Map(history.filter(({ kind }) => ofSteps.test(kind)).map((entry) => [entry.place, entry]))
  const names = [...steps.values()].map(({ name }) => name)
  const isOne = (name: string) => names.filter((each) => each === name).length === 1
  const offered = [...steps.values()].map(({ name, place, kind }) => {
    const how = kind.replace('step-', '')
    return isOne(name)
      ? ([name, `${name}: ${how}`] as const)
      : ([place, `${name}, at ${place}: ${how}`] as const)
  })
  return [['', 'the beginning'], ...offered]
}

/** What to send, or what is wrong with what was written. */
function bodyOf(act: Verb, form: FormData): Record<string, unknown> | string {
  const reason = reasonIn(form)
  if (act === 'restart') return { ...without({ from: written(form, 'from') }), ...reason }
  if (act !== 'signal') return reason
  const text = written(form, 'payload')
  if (text === undefined) return { name: written(form, 'name'), ...reason }
  const payload = new Written(text)
  if (faultOf(payload) !== undefined) return 'The payload is not JSON. A text stands in quotation marks.'
  return { name: written(form, 'name'), payload, ...reason }
}

const without = (body: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))

type Asked = InstanceDetails['questions'][number]

interface Decides {
  readonly asked: Asked
  readonly approved: boolean
}

/** What an instance asks of people. The answer that somebody writes stays when another person decides, and says so. */
export function Questions({ instance }: { readonly instance: InstanceDetails }) {
  const [decides, setDecides] = useState<Decides>()
  // By question: accepted, and not yet taken up by the instance, which may take as long as it takes.
  const [sent, setSent] = useState<ReadonlyMap<string, boolean>>(new Map())
  return (
    <>
      {instance.questions.map((asked) => (
        <Asks
          key={asked.question}
          asked={asked}
          sent={sent.get(asked.question)}
          decide={(approved) => setDecides({ asked, approved })}
        />
      ))}
      {decides !== undefined && (
        <DecisionQuestion
          {...decides}
          instance={instance}
          close={() => setDecides(undefined)}
          decided={() => setSent(new Map(sent).set(decides.asked.question, decides.approved))}
        />
      )}
    </>
  )
}

interface AsksProps {
  readonly asked: Asked
  /** The decision that was given here. */
  readonly sent: boolean | undefined
  readonly decide: (approved: boolean) => void
}

const Asks = ({ asked, sent, decide }: AsksProps) => (
  <section className="panel asks" aria-label={`Question ${asked.approval}`}>
    <h2>It asks: {asked.approval}</h2>
    <WhatIsAsked asked={asked} />
    <p role="status">
      {sent !== undefined &&
        `${sent ? 'Approved' : 'Refused'} by you. The instance has not taken it up yet: it does so once a worker that runs it comes to it.`}
    </p>
    {sent === undefined && (
      <div className="actions">
        <Act look="primary" act={() => decide(true)}>
          Approve…
        </Act>
        <Act act={() => decide(false)}>Refuse…</Act>
      </div>
    )}
  </section>
)

const WhatIsAsked = ({ asked: { to, text, askedAtMs, dueAtMs } }: { readonly asked: Asked }) => (
  <>
    {text !== undefined && <p>{text}</p>}
    <p className="faint">
      {to === undefined ? 'Asked ' : `Asked of ${to}, `}
      <Moment at={askedAtMs} />
      {dueAtMs !== null && (
        <>
          , waits until <Moment at={dueAtMs} />
        </>
      )}
    </p>
  </>
)

interface DecisionProps extends Decides {
  readonly instance: InstanceDetails
  readonly close: () => void
  /** It is accepted. */
  readonly decided: () => void
}

function DecisionQuestion({ instance, asked, approved, close, decided }: DecisionProps) {
  const { approval, question } = asked
  const { run, busy, problem } = useDoing((body: unknown) => post(pathOf(instance, 'approve'), body))
  const isOver = !busy && !instance.questions.some((each) => each.question === question)
  const submit = (form: FormData) =>
    run({ name: approval, question, approved, ...reasonIn(form) }).then(
      () => {
        decided()
        close()
      },
      () => undefined,
    )
  return (
    <Question
      title={approved ? `Approve ${approval}` : `Refuse ${approval}`}
      act={approved ? 'Approve' : 'Refuse'}
      {...{ busy, problem, close }}
      ready={!isOver}
      submit={(form) => void submit(form)}
    >
      <WhatIsAsked asked={asked} />
      <p>It is recorded as your decision, and decides once.</p>
      <p role="status" className="changed">
        {isOver && 'It is not asked any more: somebody else was faster, or the instance went on without it.'}
      </p>
      <Reason />
    </Question>
  )
}
