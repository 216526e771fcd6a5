// One rule at one bed over time: when it begins to hold, when that is an alarm, when it is over, and when it is better not told
// again. A value that is passed on from reading to reading; nothing here knows a clock.
import { type Priority, type Rule, repeatMs } from './limits.js'

export interface Episode {
  /** `pending`: it holds, and is no alarm yet: not for long enough, not yet to be told, or told too lately. */
  readonly phase: 'quiet' | 'pending' | 'active'
  /** When the reading was taken with which it began to hold; before that, of no meaning. */
  readonly beganMs: number
  /** Its alarm; null unless it is active. */
  readonly alarm: string | null
  /** When this rule was last told of; null for never. */
  readonly raisedMs: number | null
  /** How often it held since then, and was not told again. */
  readonly suppressed: number
}

/** What a reading says of the rule. Between the limit and its hysteresis neither is true. */
export interface Standing {
  readonly holds: boolean
  readonly over: boolean
}

export interface Step {
  readonly episode: Episode
  readonly raised?: string
  readonly ended?: string
}

export const quiet: Episode = { phase: 'quiet', beganMs: 0, alarm: null, raisedMs: null, suppressed: 0 }

export interface Moment extends Standing {
  readonly atMs: number
  readonly bed: string
  /** An alarm of a rule that covers this one stands, or the reading came too late: it is told when that is over, if it still holds. */
  readonly waits: boolean
}

export function advance(rule: Rule, episode: Episode, moment: Moment): Step {
  if (episode.phase === 'active') return moment.over ? end(episode) : { episode }
  if (!moment.holds) return { episode: subside(episode) }
  const beganMs = episode.phase === 'pending' ? episode.beganMs : moment.atMs
  const pending: Episode = { ...episode, phase: 'pending', beganMs }
  if (moment.atMs - beganMs < rule.delayMs) return { episode: pending }
  if (moment.waits || isRepeat(rule.priority, episode, moment.atMs)) return { episode: pending }
  const alarm = alarmId(moment.bed, rule.name, moment.atMs)
  return {
    episode: { ...pending, phase: 'active', alarm, raisedMs: moment.atMs, suppressed: 0 },
    raised: alarm,
  }
}

const isRepeat = (priority: Priority, { raisedMs }: Episode, atMs: number) =>
  raisedMs !== null && atMs - raisedMs < repeatMs[priority]

function end(episode: Episode): Step {
  const over: Episode = { ...episode, phase: 'quiet', alarm: null }
  return episode.alarm === null ? { episode: over } : { episode: over, ended: episode.alarm }
}

function subside(episode: Episode): Episode {
  if (episode.phase === 'quiet') return episode
  return { ...episode, phase: 'quiet', suppressed: episode.suppressed + (episode.raisedMs === null ? 0 : 1) }
}

/** The same for the same bed, rule and reading that made it an alarm, whoever works it out and however often:
 *  `7.pulse-high.20260101T003700.000Z`. No two are alike, since a rule is not told twice within `repeatMs`; those with which it began may be: a minute
 *  of a recording can hold three readings of one parameter. */
export function alarmId(bed: string, rule: string, raisedMs: number): string {
  return `${bed}.${rule}.${new Date(raisedMs).toISOString().replaceAll(/[-:]/g, '')}`
}
