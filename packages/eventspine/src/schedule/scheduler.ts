// Looks at the schedules of a cell when one of them is due. Every process does; the store lets one of them have a tick.
import { type Clock, type Random, Soonest } from '../kernel/index.js'
import type { Logger } from '../observe/log.js'
import { Calendar } from './calendar.js'
import type { Timetable } from './definition.js'
import type { SchedulePort } from './port.js'
import { planOf, tickEvent } from './tick.js'

export interface SchedulerServices {
  readonly port: SchedulePort
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Of schedules that name none. */
  readonly tenant: string
  /** Events are in the log. */
  published(): void
}

/** The database's clock may be another than ours, and jump. */
const lookEveryMs = 30_000
const failedMs = 1_000
const aheadMsMax = 60_000

type Followed = Timetable & { readonly calendar: Calendar }

export class Scheduler {
  readonly #services: SchedulerServices
  readonly #timetables: readonly Followed[]
  readonly #soonest: Soonest
  #looking: Promise<void> | undefined
  #stopped = true

  constructor(timetables: readonly Timetable[], services: SchedulerServices) {
    this.#services = services
    this.#timetables = timetables.map((each) => ({
      ...each,
      calendar: new Calendar(each.cron, each.timeZone),
    }))
    this.#soonest = new Soonest(services.clock, () => this.#look())
  }

  async start(): Promise<void> {
    if (this.#timetables.length === 0) return
    await this.#services.port.registerSchedules(this.#timetables.map(planOf))
    this.#stopped = false
    this.#soonest.after(0)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#soonest.cancel()
    await this.#looking
  }

  /** Milliseconds until a tick is due; null when none is awaited here. */
  async nextTickMs(): Promise<number | null> {
    if (this.#timetables.length === 0) return null
    const { nowMs, found } = await this.#services.port.schedules(this.#timetables.map(planOf))
    const known = new Map(found.map(({ name, tickedMs }) => [name, tickedMs]))
    const times = this.#timetables.flatMap(({ name, calendar }) => {
      const tickedMs = known.get(name)
      return tickedMs === undefined ? [] : [calendar.after(tickedMs)]
    })
    return times.length === 0 ? null : Math.max(0, Math.min(...times) - nowMs)
  }

  #look(): void {
    if (this.#stopped) return
    this.#looking = this.#tick()
      // What could not be moved on is still due: it is not asked for again at once.
      .then(async (moved) => (moved ? ((await this.nextTickMs()) ?? lookEveryMs) : failedMs))
      .catch((error: unknown) => {
        this.#services.logger.warn('schedules were not looked at; trying again', { error })
        return failedMs
      })
      .then((ms) => {
        this.#looking = undefined
        if (!this.#stopped) this.#soonest.after(Math.min(Math.ceil(ms), lookEveryMs))
      })
  }

  /** False where one of them could not be moved on. */
  async #tick(): Promise<boolean> {
    const { port, logger } = this.#services
    let moved = true
    const { nowMs, found } = await port.schedules(this.#timetables.map(planOf))
    for (const own of this.#timetables) {
      const row = found.find(({ name }) => name === own.name)
      // One that cannot be moved on must not hold up the others.
      await this.#advance(own, row?.tickedMs, nowMs).catch((error: unknown) => {
        moved = false
        logger.error('schedule was not moved on; trying again', { schedule: own.name, error })
      })
    }
    return moved
  }

  async #advance(own: Followed, tickedMs: number | undefined, nowMs: number): Promise<void> {
    const { name } = own
    const { port, logger } = this.#services
    if (tickedMs === undefined) return await port.registerSchedules([planOf(own)])
    if (tickedMs > nowMs + aheadMsMax)
      logger.error('schedule stands in the future; the clock of the database has jumped', {
        schedule: name,
        until: new Date(tickedMs).toISOString(),
      })
    const { due, upToMs } = own.calendar.due(tickedMs, nowMs, own.missed)
    if (upToMs === tickedMs) return
    const tenant = own.tenant ?? this.#services.tenant
    const events = due.map((each) => tickEvent({ name, tenant }, each, this.#services))
    if (await port.advanceSchedule(planOf(own), tickedMs, upToMs, events)) this.#services.published()
  }
}
