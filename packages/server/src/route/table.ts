// Every route of the API, and the check that each declares what it must.
import { scopes } from '../access/api-key.js'
import { approvalRoutes } from '../routes/approvals.js'
import { consoleRoutes } from '../routes/console.js'
import { contractRoutes } from '../routes/contracts.js'
import { deadLetterRoutes } from '../routes/dead-letters.js'
import { eventRoutes } from '../routes/events.js'
import { keyRoutes } from '../routes/keys.js'
import { operationRoutes } from '../routes/operations.js'
import { overviewRoutes } from '../routes/overview.js'
import { publishRoute } from '../routes/publish.js'
import { redriveRoutes } from '../routes/redrives.js'
import { replayRoutes } from '../routes/replays.js'
import { scheduleRoutes } from '../routes/schedules.js'
import { sourceRoutes } from '../routes/sources.js'
import { subscriptionRoutes } from '../routes/subscriptions.js'
import { systemRoutes } from '../routes/system.js'
import { webhookRoutes } from '../routes/webhooks.js'
import { workflowRoutes } from '../routes/workflows.js'
import type { Route } from './route.js'

export const routeTable: readonly Route[] = [
  publishRoute,
  ...sourceRoutes,
  ...eventRoutes,
  ...subscriptionRoutes,
  ...workflowRoutes,
  ...approvalRoutes,
  ...scheduleRoutes,
  ...webhookRoutes,
  ...deadLetterRoutes,
  ...redriveRoutes,
  ...replayRoutes,
  ...operationRoutes,
  ...keyRoutes,
  ...contractRoutes,
  ...overviewRoutes,
  ...consoleRoutes,
  ...systemRoutes,
]

const scopesKnown: readonly string[] = ['open', ...scopes]
const tenanciesKnown: readonly string[] = ['filtered', 'system', 'none']

/** Denied by default: throws when a route has no declared permission or schema, or stands twice. */
export function checkRoutes(routes: readonly Route[]): void {
  const faults = routes.flatMap((route) =>
    faultsOf(route).map((fault) => `${route.method} ${route.url}: ${fault}`),
  )
  for (const key of ['operationId', 'place'] as const) {
    const names = routes.map((route) =>
      key === 'place' ? `${route.method} ${route.url}` : route.operationId,
    )
    const repeated = names.filter((name, at) => names.indexOf(name) !== at)
    faults.push(...repeated.map((name) => `${name} is declared twice`))
  }
  if (faults.length > 0) throw new Error(`The route table is not complete. ${faults.join('. ')}.`)
}

// What the types demand, checked once more where it counts: a cast or plain JavaScript gets past types.
function faultsOf(route: Partial<Route>): string[] {
  const faults: string[] = []
  if (!scopesKnown.includes(route.access?.scope ?? '')) faults.push('declare its permission (access.scope)')
  if (!tenanciesKnown.includes(route.access?.tenancy ?? ''))
    faults.push('declare what a key of one tenant sees (access.tenancy)')
  if (route.path === undefined || route.query === undefined)
    faults.push('declare the schemas of its path and query')
  if (route.method === 'POST' && route.body === undefined && route.rawBody === undefined)
    faults.push('declare the schema of its body')
  if (route.successes === undefined || route.successes.length === 0) faults.push('declare what it answers')
  return faults
}
