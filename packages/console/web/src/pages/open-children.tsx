// The children that an instance waits for: where each stands, and the way to it. A question that one of them asks holds up its parent,
// too.
import { useAnswer } from '../api/asking.js'
import type { HistoryEntry, Instance, Page } from '../api/views.js'
import { count } from '../parts/format.js'
import { Link } from '../route/link.js'
import { InstanceState } from './instance-state.js'

interface Child {
  readonly workflow: string
  readonly id: string
}

/** Each is asked for by itself. */
const childrenShownMax = 20

/** Started, and not ended. */
export function openChildren(history: readonly HistoryEntry[]): readonly Child[] {
  const ended = new Set(history.filter(({ kind }) => kind === 'child-ended').map(({ place }) => place))
  return history
    .filter(({ kind, place }) => kind === 'child-started' && !ended.has(place))
    .map(({ name, data }) => ({ workflow: name, id: (data as { readonly id: string }).id }))
}

interface OpenChildrenProps {
  readonly of: readonly Child[]
  readonly tenant: string
}

export const OpenChildren = ({ of, tenant }: OpenChildrenProps) => (
  <ul className="plain">
    {of.slice(0, childrenShownMax).map((child) => (
      <li key={`${child.workflow} ${child.id}`}>
        <OneChild child={child} tenant={tenant} />
      </li>
    ))}
    {of.length > childrenShownMax && <li>and {count(of.length - childrenShownMax)} more</li>}
  </ul>
)

function OneChild({ child: { workflow, id }, tenant }: { readonly child: Child; readonly tenant: string }) {
  const { data } = useAnswer<Page<Instance>>('/v1/workflows', { workflow, id, tenant, limit: 1 })
  const [instance] = data?.items ?? []
  return (
    <>
      <Link to="workflows" params={{ workflow, id, tenant }}>
        {workflow} <code className="id">{id}</code>
      </Link>{' '}
      {instance !== undefined && <InstanceState instance={instance} />}
    </>
  )
}
