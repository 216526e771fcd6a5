// Subscriptions: how each stands, and a hand on one: pause, resume, replay.
import { useState } from 'react'
import { useAnswer, useDoing } from '../api/asking.js'
import { post } from '../api/client.js'
import type { Breaker, Subscription } from '../api/views.js'
import { Act } from '../parts/act.js'
import { Badge } from '../parts/badge.js'
import { DeadLetters } from '../parts/dead-letters.js'
import { Question, Reason, reasonIn } from '../parts/dialog.js'
import { Facts, Json } from '../parts/facts.js'
import { behind, count, counted, duration, perSecond, seconds } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { type Column, Rows } from '../parts/rows.js'
import { Empty, Shown } from '../parts/standing.js'
import { Link } from '../route/link.js'
import { usePlace } from '../route/place.js'
import { ReplayQuestion } from './replay.js'
import { Replays, RunningReplays } from './replays.js'

const columns: readonly Column<Subscription>[] = [
  {
    name: 'Subscription',
    cell: ({ name }) => (
      <Link to="subscriptions" params={{ name }}>
        {name}
      </Link>
    ),
  },
  { name: 'State', cell: ({ state }) => <Badge state={state} /> },
  { name: 'Lag', kind: 'number', cell: ({ lagSeconds }) => seconds(lagSeconds) },
  { name: 'Behind', kind: 'wide number', cell: behind },
  { name: 'Rate', kind: 'wide number', cell: (each) => perSecond(each.perSecond) },
  { name: 'p50', kind: 'wide number', cell: ({ handling }) => took(handling.p50Ms) },
  { name: 'p99', kind: 'wide number', cell: ({ handling }) => took(handling.p99Ms) },
  { name: 'In flight', kind: 'wide number', cell: ({ handling }) => count(handling.running) },
  { name: 'Retries', kind: 'wide number', cell: ({ handling }) => count(handling.retries) },
  {
    name: 'Dead',
    kind: 'number',
    cell: (each) => <DeadLetters of={each} />,
  },
  { name: 'On', kind: 'wide long', cell: ({ on }) => <span className="faint">{on.join(', ')}</span> },
]

const took = (ms: number | null) => (ms === null ? '–' : duration(ms))

export function Subscriptions() {
  const { params } = usePlace()
  const name = params.get('name')
  const asked = useAnswer<{ readonly items: readonly Subscription[] }>('/v1/subscriptions')
  if (name !== null) return <One name={name} />
  return (
    <>
      <Heading title="Subscriptions" />
      <Shown asked={asked}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No subscription yet">
              A subscription is a function with the events that it is interested in: defineSubscription() in
              your app.
            </Empty>
          ) : (
            <>
              <Rows caption="Subscriptions" columns={columns} items={items} keyOf={({ name: own }) => own} />
              <p className="faint">
                p50 and p99: how long an attempt takes from its start to its end, over the newest 1,000
                attempts of each subscription in the last 5 min. In flight: handlers that run, as their
                workers said a second ago.
              </p>
            </>
          )
        }
      </Shown>
    </>
  )
}

function One({ name }: { readonly name: string }) {
  const asked = useAnswer<Subscription>(`/v1/subscriptions/${encodeURIComponent(name)}`)
  return (
    <>
      <Heading title={name} above={<Link to="subscriptions">Subscriptions</Link>}>
        {asked.data !== undefined && <Actions subscription={asked.data} />}
      </Heading>
      <RunningReplays subscription={name} paused={asked.data?.state === 'paused'} />
      <Shown asked={asked}>{(subscription) => <Details subscription={subscription} />}</Shown>
      <Replays subscription={name} />
    </>
  )
}

function Actions({ subscription: { name, state, policies } }: { readonly subscription: Subscription }) {
  const [asks, setAsks] = useState<'pause' | 'resume' | 'replay'>()
  const close = () => setAsks(undefined)
  return (
    <>
      {state === 'active' ? (
        <Act act={() => setAsks('pause')}>Pause…</Act>
      ) : (
        <Act look="primary" act={() => setAsks('resume')}>
          Resume…
        </Act>
      )}
      <Act act={() => setAsks('replay')}>Replay…</Act>
      {(asks === 'pause' || asks === 'resume') && <StateQuestion {...{ name, state, asks, close }} />}
      {asks === 'replay' && (
        <ReplayQuestion subscription={name} external={policies.external !== false} close={close} />
      )}
    </>
  )
}

interface StateProps {
  readonly name: string
  /** As it is now, whoever changed it. */
  readonly state: Subscription['state']
  readonly asks: keyof typeof changes
  readonly close: () => void
}

const changes = {
  pause: {
    ...{ does: 'Pause', to: 'paused' },
    says: 'Attempts that run come to their end. Events wait, and none is lost: it goes on where it stopped.',
  },
  resume: {
    ...{ does: 'Resume', to: 'active' },
    says: 'It goes on where it stopped, with all that waited meanwhile.',
  },
} as const

function StateQuestion({ name, state, asks, close }: StateProps) {
  const { does, to, says } = changes[asks]
  const path = `/v1/subscriptions/${encodeURIComponent(name)}/${asks}`
  const { run, busy, problem } = useDoing((form: FormData) => post(path, reasonIn(form)))
  const isOver = !busy && state === to
  return (
    <Question
      title={`${does} ${name}`}
      act={`${does} 1 subscription`}
      {...{ busy, problem, close }}
      ready={!isOver}
      submit={(form) => void run(form).then(close, () => undefined)}
    >
      <p>{says}</p>
      <p role="status" className="changed">
        {isOver && `Somebody else was faster: it is ${to}. Nothing is left to do.`}
      </p>
      <Reason />
    </Question>
  )
}

/** Of the breaker that its policies name, what is open now: that is why it stands still, or some of its tenants and keys do. */
function OpenBreakers({ policies }: Pick<Subscription, 'policies'>) {
  const { name } = (policies.breaker ?? {}) as { readonly name?: string }
  const asked = useAnswer<{ readonly items: readonly Breaker[] }>(
    name === undefined ? undefined : '/v1/breakers',
  )
  const open = (asked.data?.items ?? []).filter((each) => each.name === name && each.state !== 'closed')
  const [first] = open
  if (first === undefined) return null
  const whose = [first.tenant, first.key].filter(Boolean).join(' · ')
  return (
    <p className="failure" role="status">
      <Badge state={first.state} /> Breaker <Link to="breakers">{name}</Link>
      {open.length > 1
        ? ` for ${count(open.length)} tenants or keys`
        : `${whose && ` for ${whose}`}, ${first.opensForMs > 0 ? `probes in ${duration(first.opensForMs)}` : 'probes now'}`}
      {first.lastError !== null && `: ${first.lastError}`}
    </p>
  )
}

function Details({ subscription }: { readonly subscription: Subscription }) {
  const { handling } = subscription
  return (
    <section className="panel" aria-label="Standing">
      <p className="failure" role="status">
        <Badge state={subscription.state} /> {seconds(subscription.lagSeconds)} behind, {behind(subscription)}
      </p>
      <OpenBreakers policies={subscription.policies} />
      <Facts
        of={[
          ['On', subscription.on.join(', ')],
          ['Matched', counted(subscription.matched, 'event')],
          ['Completed', count(subscription.completed)],
          ['Retrying', retriesOf(subscription)],
          ['In flight', counted(handling.running, 'handler')],
          ['Rate', perSecond(subscription.perSecond)],
          ['An attempt takes', <Took key="took" handling={handling} />],
          ['Dead', <DeadLetters key="dead" of={subscription} />],
          ['Discarded', count(subscription.discarded)],
          ['Skipped', count(subscription.skipped)],
          ['Keys that wait behind a dead letter', count(subscription.haltedKeys)],
          ['Priority', subscription.priority],
          ['Shards', count(subscription.shards)],
          ['Delivered by', subscription.owners.join(', ') || 'no worker now'],
          ['App', subscription.app],
        ]}
      />
      <h2>Policies</h2>
      <Json label="Policies" value={subscription.policies} />
    </section>
  )
}

function retriesOf({ retrying, handling: { retries } }: Subscription): string {
  return retries === 0
    ? count(retrying)
    : `${count(retrying)}, ${count(retries)} of them wait for their next attempt`
}

/** With what it was told from: a percentile of three attempts is none. */
function Took({ handling: { runs, sinceMs, p50Ms, p99Ms } }: Pick<Subscription, 'handling'>) {
  if (p50Ms === null || p99Ms === null) return <span className="faint">no attempt in the last 5 min</span>
  return (
    <>
      p50 {duration(p50Ms)}, p99 {duration(p99Ms)}{' '}
      <span className="faint">
        over {counted(runs, 'attempt')} since <Moment at={sinceMs} />
      </span>
    </>
  )
}
