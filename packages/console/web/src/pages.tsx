// Which page an address names.
import { type ComponentType, lazy, Suspense } from 'react'
import { Frame } from './frame/frame.js'
import { useSession } from './frame/session.js'
import { Audit } from './pages/audit.js'
import { Breakers } from './pages/breakers.js'
import { Contracts } from './pages/contracts.js'
import { DeadLetters } from './pages/dead-letters.js'
import { Events } from './pages/events.js'
import { Keys } from './pages/keys.js'
import { Overview } from './pages/overview.js'
import { Redrives } from './pages/redrives.js'
import { Schedules } from './pages/schedules.js'
import { Subscriptions } from './pages/subscriptions.js'
import { Webhooks } from './pages/webhooks.js'
import { Workers } from './pages/workers.js'
import { Workflows } from './pages/workflows.js'
import { Heading } from './parts/heading.js'
import { LeftActs } from './parts/left-acts.js'
import { RowQuestions } from './parts/row-act.js'
import { Empty, Waiting } from './parts/standing.js'
import { Link } from './route/link.js'
import { usePlace } from './route/place.js'

// The one page with a library of its own, which nobody else has to load.
const SystemMap = lazy(async () => ({ default: (await import('./pages/map.js')).SystemMapPage }))

const pages: ReadonlyMap<string, ComponentType> = new Map<string, ComponentType>([
  ['', Overview],
  ['dead-letters', DeadLetters],
  ['redrives', Redrives],
  ['events', Events],
  ['subscriptions', Subscriptions],
  ['workflows', Workflows],
  ['breakers', Breakers],
  ['schedules', Schedules],
  ['workers', Workers],
  ['webhooks', Webhooks],
  ['audit', Audit],
  ['keys', Keys],
  ['contracts', Contracts],
  ['map', SystemMap],
])

export function Pages() {
  const { page } = usePlace()
  const { tenant } = useSession()
  // The overview spans tenants: a key of one begins where it may look.
  const Page = page === '' && tenant !== null ? DeadLetters : (pages.get(page) ?? Unknown)
  return (
    <Frame>
      <LeftActs>
        <Suspense fallback={<Waiting />}>
          <RowQuestions key={page}>
            <Page />
          </RowQuestions>
        </Suspense>
      </LeftActs>
    </Frame>
  )
}

function Unknown() {
  return (
    <>
      <Heading title="No such page" />
      <Empty title="The console has no page of this name">
        <Link to="">Go to the overview</Link>
      </Empty>
    </>
  )
}
