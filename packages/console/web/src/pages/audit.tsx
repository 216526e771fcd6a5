// Audit: every act of an operator, with who, when, why and what changed; found by each of them.
import { useAnswer, usePages } from '../api/asking.js'
import type { AuditEntry } from '../api/views.js'
import { Facts, Json } from '../parts/facts.js'
import { counted } from '../parts/format.js'
import { Heading } from '../parts/heading.js'
import { Moment } from '../parts/moment.js'
import { type Column, Rows } from '../parts/rows.js'
import { type Filter, Search } from '../parts/search.js'
import { Empty, Shown } from '../parts/standing.js'
import { Link } from '../route/link.js'
import { choose, usePlace } from '../route/place.js'
import { targetOf } from './audit-target.js'

/** What acts are called here. One that is not, shows as it is. */
const words: Readonly<Record<string, string>> = {
  'subscription.pause': 'paused subscription',
  'subscription.resume': 'resumed subscription',
  'subscription.remove': 'removed subscription',
  'subscription.change': 'changed subscription',
  'redrive.create': 'began redrive',
  'redrive.stop': 'stopped redrive',
  'dead-letters.discard': 'discarded letters of',
  'replay.create': 'began replay',
  'replay.stop': 'stopped replay',
  'breaker.open': 'opened breaker',
  'breaker.close': 'closed breaker',
  'webhook.disable': 'disabled endpoint',
  'webhook.enable': 'enabled endpoint',
  'schedule.run': 'ran schedule',
  'workflow.signal': 'signalled',
  'workflow.approve': 'approved',
  'workflow.refuse': 'refused',
  'workflow.cancel': 'cancelled',
  'workflow.terminate': 'terminated',
  'workflow.restart': 'restarted',
  'workflow.retry': 'retried',
  'key.create': 'made API key',
  'key.withdraw': 'withdrew API key',
  'person.erase': 'erased person',
  'person.rewrap': 'enciphered keys anew by',
  'contract.replace': 'replaced contract',
  'source.install': 'installed source',
  'source.uninstall': 'uninstalled source',
}

const filters: readonly Filter[] = [
  { name: 'actor', label: 'Who, exactly' },
  { name: 'action', label: 'Action', options: Object.keys(words) },
  { name: 'target', label: 'Target (* for any run)' },
  { name: 'after', label: 'After', type: 'moment' },
  { name: 'before', label: 'Before', type: 'moment' },
]

const text = (value: unknown) => (typeof value === 'string' ? value : undefined)

/** `active → paused`, or what it was about. */
function changeOf({ action, details }: AuditEntry): string {
  const [before, after] = [text(details.before), text(details.after)]
  if (before !== undefined && after !== undefined) return `${before} → ${after}`
  if (Array.isArray(details.changed) && details.changed.length > 0)
    return `data: ${details.changed.join(', ')}`
  if (typeof details.count === 'number') return counted(details.count, 'letter')
  if (typeof details.selected === 'number') return counted(details.selected, 'letter')
  if (action === 'key.create' || action === 'key.withdraw') return `of ${text(details.name) ?? '?'}`
  // The original itself does not say what became of it.
  if (action === 'workflow.restart') return `as ${text(details.as) ?? '?'}`
  return text(details.signal) ?? text(details.approval) ?? text(details.subscription) ?? ''
}

const columns: readonly Column<AuditEntry>[] = [
  {
    name: 'What',
    cell: ({ id, action }) => <Entry id={id}>{words[action] ?? action}</Entry>,
  },
  { name: 'To', kind: 'long', cell: (entry) => <Target of={entry} /> },
  { name: 'Who', cell: ({ actor }) => <Brief text={actor} /> },
  { name: 'Change', kind: 'wide', cell: (entry) => <Brief text={changeOf(entry)} /> },
  { name: 'Why', kind: 'wide long', cell: ({ details }) => text(details.reason) },
  { name: 'When', cell: ({ atMs }) => <Moment at={atMs} /> },
]

/** With the way to it, where there is one. */
function Target({ of: entry }: { readonly of: AuditEntry }) {
  const place = targetOf(entry)
  if (place === undefined) return <span title={entry.target}>{entry.target}</span>
  return (
    <Link to={place.to} params={place.params} title={entry.target}>
      {entry.target}
    </Link>
  )
}

/** As much of it as has room: the whole stands with the entry. */
const Brief = ({ text: whole }: { readonly text: string }) => (
  <span className="brief" title={whole}>
    {whole}
  </span>
)

function Entry({ id, children }: { readonly id: number; readonly children: string }) {
  const { params } = usePlace()
  return (
    <Link to="audit" params={{ ...Object.fromEntries(params), entry: String(id) }}>
      {children}
    </Link>
  )
}

export function Audit() {
  const { params } = usePlace()
  const given = (name: string) => params.get(name) ?? undefined
  const query = {
    ...{ actor: given('actor'), action: given('action'), target: given('target') },
    ...{ after: given('after'), before: given('before') },
  }
  const asked = usePages<AuditEntry>('/v1/audit', query)
  const isNarrow = Object.values(query).some((value) => value !== undefined)
  const entry = params.get('entry')
  return (
    <>
      <Heading title="Audit" />
      <Search filters={filters} />
      {entry !== null && <One key={entry} id={entry} />}
      <Shown asked={asked}>
        {(items) =>
          items.length > 0 ? (
            <Rows
              caption="Actions of operators, newest first"
              keyOf={({ id }) => String(id)}
              {...{ columns, items, more: asked.more, loading: asked.loading }}
            />
          ) : (
            <Nothing isNarrow={isNarrow} />
          )
        }
      </Shown>
    </>
  )
}

function Nothing({ isNarrow }: { readonly isNarrow: boolean }) {
  if (isNarrow)
    return (
      <Empty title="Nobody did anything of this kind">
        <Link to="audit">Look at all that was done</Link>
      </Empty>
    )
  return (
    <Empty title="Nobody has done anything yet">
      What operators do, here or by the command line, is recorded with who, when and why.
    </Empty>
  )
}

/** Asked for by itself: the list may not reach so far, or be narrowed to others. What was done does not change. */
function One({ id }: { readonly id: string }) {
  const asked = useAnswer<AuditEntry>(`/v1/audit/${encodeURIComponent(id)}`, {}, 0)
  return (
    <section className="panel" aria-label="Entry">
      <Shown asked={asked}>{(entry) => <Act entry={entry} />}</Shown>
      <div className="actions">
        <button type="button" onClick={() => choose({ entry: undefined })}>
          Close
        </button>
      </div>
    </section>
  )
}

const Act = ({ entry }: { readonly entry: AuditEntry }) => (
  <>
    <p className="failure">
      <strong>{entry.actor}</strong> {words[entry.action] ?? entry.action}{' '}
      <code>
        <Target of={entry} />
      </code>
    </p>
    <Facts
      of={[
        ['Why', text(entry.details.reason) ?? 'no reason was given'],
        ['Change', changeOf(entry)],
        ['When', <Moment key="when" at={entry.atMs} />],
        ['Action', <code key="action">{entry.action}</code>],
      ]}
    />
    <h2>Details</h2>
    <Json label="Details of the entry" value={entry.details} />
  </>
)
