// Gauges that are read from a cell's store when somebody asks.
import type { BreakerState } from '../deliver/port.js'
import type { MetricSample } from '../observe/metrics.js'
import { helpOf, metricNames } from '../observe/names.js'
import type { Cell } from './cell.js'

const breakerLevel = { open: 1, 'half-open': 0.5, closed: 0 } as const

/** By name and tenant. Of keys there may be thousands: the worst speaks for all. */
function worstOf(breakers: readonly BreakerState[]): readonly BreakerState[] {
  const worst = new Map<string, BreakerState>()
  for (const breaker of breakers) {
    const place = JSON.stringify([breaker.name, breaker.tenant])
    const known = worst.get(place)
    if (known === undefined || breakerLevel[known.state] < breakerLevel[breaker.state])
      worst.set(place, breaker)
  }
  return [...worst.values()]
}

export async function storeSamples(
  cell: string,
  { store, tables }: Pick<Cell, 'store' | 'tables'>,
): Promise<MetricSample[]> {
  const followed = tables.filter(({ through }) => through === 'replication')
  const [app = ''] = followed.map((plan) => plan.app)
  const [subscriptions, breakers, health, standings] = await Promise.all([
    store.subscriptions(),
    store.breakers(),
    store.health(),
    followed.length === 0 ? [] : store.tableStandings(app, followed),
  ])
  const gauge = (
    name: string,
    labels: Record<string, string>,
    value: number,
    type: 'gauge' | 'counter' = 'gauge',
  ): MetricSample => ({ name, help: helpOf(name), type, labels: { cell, ...labels }, value })
  return [
    ...subscriptions.flatMap((each) => {
      const { name: subscription, matched, completed, discarded, skipped } = each
      const { lagEvents, lagSeconds, retrying, dead } = each
      return [
        gauge(metricNames.matched, { subscription }, matched, 'counter'),
        gauge(metricNames.completed, { subscription }, completed, 'counter'),
        gauge(metricNames.skipped, { subscription }, skipped, 'counter'),
        gauge(metricNames.discarded, { subscription }, discarded, 'counter'),
        gauge(metricNames.lagEvents, { subscription }, lagEvents),
        gauge(metricNames.lagSeconds, { subscription }, lagSeconds),
        gauge(metricNames.retrying, { subscription }, retrying),
        gauge(metricNames.dead, { subscription }, dead),
      ]
    }),
    ...worstOf(breakers).map(({ name: breaker, tenant, state }) =>
      gauge(metricNames.breaker, { breaker, tenant }, breakerLevel[state]),
    ),
    ...standings.flatMap(({ source, lag }) =>
      lag === null
        ? []
        : [
            gauge(metricNames.sourceLagBytes, { source }, lag.bytes),
            gauge(metricNames.sourceLagSeconds, { source }, lag.seconds),
          ],
    ),
    gauge(metricNames.oldestTransaction, {}, health.oldestTransaction?.ageSeconds ?? 0),
  ]
}
