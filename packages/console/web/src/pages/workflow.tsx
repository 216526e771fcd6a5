// One instance: what it asks of people, its history as a timeline, and how it ended.
import { useAnswer } from '../api/asking.js'
import type { HistoryEntry, InstanceDetails } from '../api/views.js'
import { Badge } from '../parts/badge.js'
import { Facts, Json } from '../parts/facts.js'
import { count, duration } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { Shown } from '../parts/standing.js'
import { Link } from '../route/link.js'
import { InstanceState } from './instance-state.js'
import { OpenChildren, openChildren } from './open-children.js'
import { Questions, WorkflowActions } from './workflow-actions.js'

interface OneInstanceProps {
  readonly workflow: string
  readonly id: string
  readonly tenant: string | undefined
}

/** It is in the log, and no worker has taken it up. */
interface AcceptedInstance {
  readonly workflow: string
  readonly id: string
  readonly tenant: string
}

const isBegun = (instance: InstanceDetails | AcceptedInstance): instance is InstanceDetails =>
  'history' in instance

export function OneInstance({ workflow, id, tenant }: OneInstanceProps) {
  const path = `/v1/workflows/${encodeURIComponent(workflow)}/${encodeURIComponent(id)}`
  const asked = useAnswer<InstanceDetails | AcceptedInstance>(path, { tenant })
  return (
    <>
      <Heading title={`${workflow} ${id}`} above={<Link to="workflows">Workflows</Link>}>
        {asked.data !== undefined && isBegun(asked.data) && <WorkflowActions instance={asked.data} />}
      </Heading>
      <Shown asked={asked}>
        {(instance) => (isBegun(instance) ? <Details instance={instance} /> : <Accepted />)}
      </Shown>
    </>
  )
}

const Accepted = () => (
  <section className="panel" aria-label="Standing">
    <p role="status">
      <Badge state="accepted" /> It is to be started, and no worker has taken it up yet. Where that lasts, see
      whether a worker runs and its subscription is active.
    </p>
  </section>
)

function Details({ instance }: { readonly instance: InstanceDetails }) {
  const { attention, failure, output, waits } = instance
  return (
    <>
      {/* What was decided here is told of this instance alone. */}
      <Questions key={`${instance.tenant} ${instance.workflow} ${instance.id}`} instance={instance} />
      <section className="panel" aria-label="Standing">
        <p className="failure" role="status">
          <InstanceState instance={instance} />{' '}
          {failure === undefined ? '' : `${failure.name}: ${failure.message}`}
        </p>
        {attention !== null && (
          <p className="failure">
            {attention.message}{' '}
            <Link to="dead-letters" params={{ letter: attention.letter }}>
              Look at the dead letter
            </Link>
          </p>
        )}
        {attention?.retry && <Retried retries={attention.retries} retry={attention.retry} />}
        <InstanceFacts instance={instance} />
        {output !== undefined && (
          <>
            <h2>Output</h2>
            <Json label="Output" value={output} />
          </>
        )}
      </section>
      <Timeline history={instance.history} waits={waits} beganAtMs={instance.startedAtMs} />
    </>
  )
}

function InstanceFacts({ instance }: { readonly instance: InstanceDetails }) {
  const { state, attention, approval, parent, waits, history } = instance
  const children = openChildren(history)
  const { restart } = (history[0]?.data ?? {}) as { readonly restart?: { readonly of: string } }
  return (
    <Facts
      of={[
        ['Tenant', instance.tenant],
        // Where the badge says instead that it waits for a person.
        ['State', attention === null && approval === null ? undefined : state],
        ['Version', instance.version],
        ['Began', <Moment key="began" at={instance.startedAtMs} />],
        ['Ended', instance.endedAtMs === null ? undefined : <Moment key="ended" at={instance.endedAtMs} />],
        ['Timer due', instance.wakeAtMs === null ? undefined : <Moment key="wake" at={instance.wakeAtMs} />],
        [
          'Deadline',
          instance.deadlineAtMs === null ? undefined : <Moment key="late" at={instance.deadlineAtMs} />,
        ],
        [
          'Started by',
          parent === null ? undefined : <Parent key="parent" parent={parent} tenant={instance.tenant} />,
        ],
        [
          'Restarted from',
          restart === undefined ? undefined : (
            <Parent
              key="restart"
              parent={{ workflow: instance.workflow, id: restart.of }}
              tenant={instance.tenant}
            />
          ),
        ],
        [
          'Acts of people',
          <Link key="acts" to="audit" params={{ target: `${instance.workflow} ${instance.id}` }}>
            In the audit
          </Link>,
        ],
        [
          'Waits for',
          waits.length === 0 ? undefined : (
            <ul key="waits" className="plain">
              {waits.map((wait) => (
                <li key={wait.place}>
                  <Waits for={wait} />
                </li>
              ))}
            </ul>
          ),
        ],
        [
          'Waits for children',
          children.length === 0 ? undefined : (
            <OpenChildren key="children" of={children} tenant={instance.tenant} />
          ),
        ],
      ]}
    />
  )
}

type Wait = InstanceDetails['waits'][number]

const Waits = ({ for: { kind, name, key, sinceAtMs, dueAtMs } }: { readonly for: Wait }) => (
  <>
    the {kind} <code>{name}</code>
    {key !== undefined && (
      <>
        {' '}
        with the key <code>{key}</code>
      </>
    )}
    , since <Moment at={sinceAtMs} />
    {dueAtMs !== null && (
      <>
        , until <Moment at={dueAtMs} />
      </>
    )}
  </>
)

type Attention = NonNullable<InstanceDetails['attention']>

/** What was tried, and what became of it: without it the page would look as if nobody had done anything. */
const Retried = ({
  retries,
  retry,
}: Pick<Attention, 'retries'> & { readonly retry: NonNullable<Attention['retry']> }) => (
  <p role="status">
    <Badge
      state={retry.state === 'running' ? 'retry runs' : 'retry failed'}
      tone={retry.state === 'running' ? 'busy' : 'bad'}
    />{' '}
    Retried by {retry.by} <Moment at={retry.atMs} />
    {retry.state === 'failed' && ', and it failed again'}
    {retries > 1 && `: ${count(retries)} in all`}.{' '}
    <Link to="redrives" params={{ id: retry.redrive }}>
      Look at the redrive
    </Link>
  </p>
)

interface ParentProps {
  readonly parent: Pick<NonNullable<InstanceDetails['parent']>, 'workflow' | 'id'>
  readonly tenant: string
}

const Parent = ({ parent: { workflow, id }, tenant }: ParentProps) => (
  <Link to="workflows" params={{ workflow, id, tenant }}>
    {workflow} {id}
  </Link>
)

interface TimelineProps {
  readonly history: readonly HistoryEntry[]
  readonly waits: readonly Wait[]
  readonly beganAtMs: number
}

function Timeline({ history, waits, beganAtMs }: TimelineProps) {
  const open = new Set(waits.map(({ place }) => place))
  return (
    <section className="panel" aria-label="Timeline">
      <h2>Timeline</h2>
      <ol className="timeline">
        {history.map(({ position, kind, place, name, data, atMs }) => (
          <li key={position} className={/fail|compens|cancel/.test(kind) ? 'timeline-warn' : undefined}>
            <p>
              <strong>{name || kind}</strong> {name !== '' && <span className="faint">{kind}</span>}{' '}
              {place !== '' && <code className="faint">{place}</code>}{' '}
              {kind === 'waiting' && open.has(place) && <Badge state="open" tone="busy" />}
              <span className="timeline-at">
                +{duration(Math.max(0, atMs - beganAtMs))} · <Moment at={atMs} />
              </span>
            </p>
            {data !== null && data !== undefined && (
              <details>
                <summary>What it says</summary>
                <Json label={`Entry ${position}`} value={data} />
              </details>
            )}
          </li>
        ))}
      </ol>
    </section>
  )
}
