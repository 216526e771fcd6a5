// All that doctor judges, read from a cell at once.
import type { DoctorInput } from '../inspect/index.js'
import { nextTickMs, type ScheduleStanding } from '../schedule/index.js'
import type { OperatorServices } from './operator.js'

/** Disabled endpoints that are looked at. */
const endpointsMax = 500

export async function examine(services: OperatorServices): Promise<DoctorInput> {
  const { app, store, live, sources } = services
  const workflows = [...new Set(app.workflows.map(({ name }) => name))]
  const [
    subscriptions,
    breakers,
    workers,
    database,
    sourceLeases,
    tables,
    disabled,
    versions,
    newer,
    standings,
    schedules,
  ] = await Promise.all([
    store.subscriptions(),
    store.breakers(),
    store.workers(),
    store.health(),
    store.sourceLeases(),
    store.tableStandings(app.name, services.tables),
    store.webhookEndpoints({ state: 'disabled' }, endpointsMax),
    workflows.length === 0 ? [] : store.openVersions(workflows),
    store.newerEvents(),
    store.personalMasters(),
    store.scheduleStandings(),
  ])
  const endpoints = disabled.filter(({ webhooks }) => app.webhooks.some(({ name }) => name === webhooks))
  const batches = new Map(live().map(({ subscription, gate }) => [subscription.name, gate.batch.events]))
  return {
    app,
    batches,
    subscriptions,
    breakers,
    endpoints,
    workers,
    database,
    sources,
    sourceLeases,
    tables,
    versions,
    newer,
    schedules: schedules.found.map((each) => lateSchedule(each, schedules.nowMs)),
    personal: { masters: services.masters, standings },
  }
}

const lateSchedule = (own: ScheduleStanding, nowMs: number) => ({
  name: own.name,
  lateSeconds: Math.max(0, nowMs - nextTickMs(own)) / 1_000,
})
