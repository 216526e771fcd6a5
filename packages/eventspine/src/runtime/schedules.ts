// What a person does with schedules and reconcilers: sees how far each has come, and has one run now.
import type { DeliveryView } from '../inspect/index.js'
import { type Clock, EventspineError, type Random } from '../kernel/index.js'
import { checkName, checkReason } from '../redrive/index.js'
import {
  Calendar,
  type Due,
  type MissedPolicy,
  planOf,
  publisherOf,
  type Timetable,
  tickEvent,
  tickType,
} from '../schedule/index.js'
import type { App } from './app.js'
import type { Cell } from './cell.js'

export interface ScheduleView {
  readonly name: string
  readonly kind: 'schedule' | 'reconciler'
  readonly cron: string
  readonly timeZone: string
  readonly tenant: string
  readonly missed: MissedPolicy
  /** Type of the event that each tick publishes; null for a reconciler. */
  readonly event: string | null
  readonly description: string | null
  /** All ticks up to then are dealt with, in milliseconds since 1970; null where no process has followed it yet. */
  readonly tickedAtMs: number | null
  /** The first tick that is not. */
  readonly nextAtMs: number | null
  /** How long that one is due; 0 where it is not. A minute and more: no process that follows it works. */
  readonly lateMs: number
  /** Whose deliveries its runs are: it can be paused, and has its dead letters. */
  readonly subscription: string
  /** The newest run that the log still has; null before the first. */
  readonly last: ScheduleRun | null
}

/** One run, by its ticks or by hand. */
export interface ScheduleRun {
  /** Id of the event that says so. */
  readonly event: string
  /** When it was due, in milliseconds since 1970. */
  readonly atMs: number
  /** Who had it run; null where it was its time. */
  readonly by: string | null
  /** How its delivery stands. */
  readonly state: DeliveryView['state']
}

export interface SchedulesServices {
  readonly app: App
  readonly clock: Clock
  readonly random: Random
  readonly tenant: string
  cellOf(tenant: string): Cell
}

export class Schedules {
  readonly #services: SchedulesServices

  constructor(services: SchedulesServices) {
    this.#services = services
  }

  /** Of one tenant, or all, by name. Those of cells that this process does not have are left out. */
  async list(query: { readonly tenant?: string } = {}): Promise<readonly ScheduleView[]> {
    const wanted = this.#services.app.timetables.filter(
      (each) => query.tenant === undefined || this.#tenantOf(each) === query.tenant,
    )
    const views = (await Promise.all(wanted.map((each) => this.#view(each)))).filter((each) => each !== null)
    return views.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Has it run now, beside its ticks: answers the id of the event that says so, and by whom. Throws NOT_FOUND. */
  async run(name: string, by: string, reason?: string): Promise<{ readonly id: string }> {
    const own = this.#services.app.timetables.find((each) => each.name === name)
    if (own === undefined) throw this.#unknown(name)
    const [actor, why] = [checkName('by', by), checkReason(reason) ?? null]
    const tenant = this.#tenantOf(own)
    const due = { atMs: this.#services.clock.now(), missed: false, by }
    const event = tickEvent({ name, tenant }, due, this.#services)
    const details = { tenant, event: event.id, reason: why }
    const act = { actor, action: 'schedule.run', target: name, details }
    await this.#services.cellOf(tenant).appender.appendActed(event, act)
    return { id: event.id }
  }

  /** Whose it is; undefined where there is none of that name. */
  tenantOf(name: string): string | undefined {
    const own = this.#services.app.timetables.find((each) => each.name === name)
    return own && this.#tenantOf(own)
  }

  async #view(own: Timetable): Promise<ScheduleView | null> {
    const { name, cron, timeZone, missed } = own
    const { event, description } = own as { event?: { readonly type: string }; description?: string }
    const tenant = this.#tenantOf(own)
    const store = this.#storeOf(tenant)
    if (store === null) return null
    const subscription = event === undefined ? name : publisherOf(name)
    const [{ nowMs, found }, last] = await Promise.all([
      store.schedules([planOf(own)]),
      lastRun(store, name, tenant, subscription),
    ])
    const tickedAtMs = found[0]?.tickedMs ?? null
    const nextMs =
      tickedAtMs === null ? Number.POSITIVE_INFINITY : new Calendar(cron, timeZone).after(tickedAtMs)
    return {
      ...{ name, kind: event === undefined ? 'reconciler' : 'schedule', cron, timeZone, tenant, missed },
      ...{ event: event?.type ?? null, description: description ?? null, tickedAtMs },
      nextAtMs: Number.isFinite(nextMs) ? nextMs : null,
      lateMs: Math.max(0, Math.round(nowMs - nextMs)),
      ...{ subscription, last },
    }
  }

  #storeOf(tenant: string): Cell['store'] | null {
    try {
      return this.#services.cellOf(tenant).store
    } catch (error) {
      if (error instanceof EventspineError && error.code === 'CELL_UNKNOWN') return null
      throw error
    }
  }

  #tenantOf({ tenant }: Timetable): string {
    return tenant ?? this.#services.tenant
  }

  #unknown(name: string): EventspineError {
    const known = this.#services.app.timetables.map((each) => each.name).join(', ')
    return new EventspineError(
      'NOT_FOUND',
      `There is no schedule or reconciler "${name}" in this app. Known: ${known || 'none'}.`,
      { field: '/schedule' },
    )
  }
}

async function lastRun(
  store: Cell['store'],
  name: string,
  tenant: string,
  subscription: string,
): Promise<ScheduleRun | null> {
  const { items } = await store.events({ tenant, type: tickType(name), key: name, limit: 1 })
  const [tick] = items
  if (tick === undefined) return null
  const deliveries = await store.deliveries(tick)
  const own = deliveries.find((each) => each.subscription === subscription && each.replay === null)
  const { by = null } = JSON.parse(tick.data ?? '{}') as Partial<Due>
  return { event: tick.id, atMs: tick.timeMs, by, state: own?.state ?? 'pending' }
}
