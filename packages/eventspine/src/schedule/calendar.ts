// The ticks of a cron pattern in its time zone. The calendar is croner's: https://github.com/Hexagon/croner
import { Cron } from 'croner'
import type { MissedPolicy } from './definition.js'

export interface Due {
  readonly atMs: number
  readonly missed: boolean
  /** A person had it run, beside its ticks. */
  readonly by?: string
}

/** Throws where the pattern is none, and where no tick ever comes. */
export function checkPattern(cron: string): Calendar {
  return new Calendar(cron, 'UTC')
}

/** A tick that nobody took for so long is missed. */
export const missedAfterMs = 60_000
/** As many are taken at a time. */
const dueMax = 1_000

export class Calendar {
  readonly #cron: Cron

  /** Throws where the pattern or the time zone is none, and where no tick ever comes. */
  constructor(cron: string, timeZone: string) {
    // A text with a colon is a single date to croner.
    if (cron.includes(':')) throw new Error('a date is no pattern')
    this.#cron = new Cron(cron, {
      ...{ timezone: timeZone, paused: true, mode: '5-or-6-parts' },
      fixedTimeRule: 'no-wildcard',
    })
    if (this.#cron.nextRun() === null) throw new Error('no day fits the pattern')
  }

  /** Infinity when there is none. */
  after(ms: number): number {
    return this.#cron.nextRun(new Date(ms))?.getTime() ?? Number.POSITIVE_INFINITY
  }

  /** What is to be done for the ticks behind `fromMs` and up to `nowMs`, in order, and how far that leads: another round
   *  may go on from there. */
  due(
    fromMs: number,
    nowMs: number,
    policy: MissedPolicy,
  ): { readonly due: readonly Due[]; readonly upToMs: number } {
    const due: Due[] = []
    const missedUpToMs = nowMs - missedAfterMs
    let upToMs = fromMs
    if (policy !== 'all' && missedUpToMs > fromMs) {
      const last = this.#lastUpTo(missedUpToMs)
      if (last !== undefined && last > fromMs) {
        upToMs = last
        if (policy === 'once') due.push({ atMs: last, missed: true })
      }
    }
    for (let atMs = this.after(upToMs); atMs <= nowMs && due.length < dueMax; atMs = this.after(atMs)) {
      due.push({ atMs, missed: atMs <= missedUpToMs })
      upToMs = atMs
    }
    return { due, upToMs }
  }

  #lastUpTo(ms: number): number | undefined {
    return this.#cron.previousRuns(1, new Date(ms + 1))[0]?.getTime()
  }
}
