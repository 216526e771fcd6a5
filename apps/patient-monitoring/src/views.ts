// What pages ask: the board of a ward, charts and alarms of a bed, what became of an alarm, reports. Reads alone, from tables that the
// functions keep: a page can be slow, and no alarm knows it.
import type { Database } from './database.js'
import type { AlarmBrief } from './events.js'
import type { Bed } from './rules/bed.js'
import { forPatient, limitRules, type Priority, priorities } from './rules/limits.js'
import { type Parameter, parameterNames } from './rules/parameters.js'

export interface BoardRow {
  readonly bed: string
  readonly ward: string
  /** Red, yellow and cyan are the colours of IEC 60601-1-8 for high, medium and low. */
  readonly colour: 'red' | 'yellow' | 'cyan' | 'green' | 'grey'
  /** The least that NEWS2 can be by what is known; null before it is. */
  readonly score: number | null
  readonly response: string | null
  /** Parts of the score that are not known. */
  readonly missing: readonly string[]
  /** Against the score of an hour before. */
  readonly trend: number
  readonly lastReadingAt: Date | null
  /** Those that stand, the most urgent first. */
  readonly alarms: readonly {
    readonly id: string
    readonly rule: string
    readonly priority: Priority
    readonly text: string
    readonly raisedAt: string
    /** Null while nobody has. */
    readonly acknowledgedBy: string | null
  }[]
}

const bedsMax = 2_000

type Standing = BoardRow['alarms'][number]
type Alarms = Readonly<Record<string, Omit<Standing, 'id' | 'acknowledgedBy'>>>

export async function board(database: Database, ward: string): Promise<readonly BoardRow[]> {
  const rows = await database.query<
    Omit<BoardRow, 'colour' | 'alarms'> & { alarms: Alarms; seen: Readonly<Record<string, string>> | null }
  >(
    `SELECT bed, ward, score, response, missing, trend, last_reading_at AS "lastReadingAt", alarms,
       (SELECT jsonb_object_agg(alarm, person) FROM ward.acknowledgement
        WHERE alarm = ANY (ARRAY(SELECT jsonb_object_keys(alarms)))) AS seen
     FROM ward.board WHERE ward = $1 ORDER BY bed LIMIT $2`,
    [ward, bedsMax],
  )
  return rows.map(({ alarms: standing, seen, ...row }) => {
    const sorted = Object.entries(standing)
      .map(([id, alarm]): Standing => ({ id, ...alarm, acknowledgedBy: seen?.[id] ?? null }))
      .sort(
        (a, b) =>
          priorities.indexOf(a.priority) - priorities.indexOf(b.priority) ||
          a.raisedAt.localeCompare(b.raisedAt),
      )
    return { ...row, alarms: sorted, colour: colourOf(sorted[0]?.priority, row.score) }
  })
}

const colours = { high: 'red', medium: 'yellow', low: 'cyan' } as const

/** Grey where nothing is known by which it could be green. */
const colourOf = (worst: Priority | undefined, score: number | null) =>
  worst !== undefined ? colours[worst] : score === null ? 'grey' : 'green'

export interface ChartPoint {
  readonly start: Date
  /** Plausible ones; artefacts are counted apart. */
  readonly readings: number
  readonly artefacts: number
  /** Of both, those that were too old to be an alarm when they came in. */
  readonly tooLate: number
  readonly mean: number | null
  readonly lowest: number | null
  readonly highest: number | null
  readonly last: number | null
  readonly lastAt: Date | null
}

export interface ChartRequest {
  readonly bed: string
  readonly parameter: Parameter
  readonly span: 'minute' | 'hour'
  /** From this moment, up to and without that one. */
  readonly from: string
  readonly to: string
}

/** Minutes of 48 hours. */
const pointsMax = 2_880

/** Oldest first, at most 2,880. */
export function chart(
  database: Database,
  { bed, parameter, span, from, to }: ChartRequest,
): Promise<readonly ChartPoint[]> {
  return database.query<ChartPoint & Record<string, unknown>>(
    `SELECT start, readings, artefacts, too_late AS "tooLate", sum / nullif(readings, 0) AS mean, lowest, highest, last, last_at AS "lastAt"
     FROM ward.chart WHERE bed = $1 AND parameter = $2 AND span = $3 AND start >= $4 AND start < $5
     ORDER BY start LIMIT $6`,
    [bed, parameter, span, from, to, pointsMax],
  )
}

/** Of every parameter of a bed that has any: of each oldest first, at most 2,880. */
export async function charts(
  database: Database,
  { bed, span, from, to }: Omit<ChartRequest, 'parameter'>,
): Promise<Readonly<Partial<Record<Parameter, readonly ChartPoint[]>>>> {
  const found = await Promise.all(
    parameterNames.map(
      async (parameter) => [parameter, await chart(database, { bed, parameter, span, from, to })] as const,
    ),
  )
  return Object.fromEntries(found.filter(([, points]) => points.length > 0))
}

export interface ScorePoint {
  readonly at: Date
  readonly total: number
}

/** NEWS2 of a bed, oldest first: the last 2,880 that were told from this moment on. */
export async function scores(
  database: Database,
  { bed, from }: { readonly bed: string; readonly from: string },
): Promise<readonly ScorePoint[]> {
  const rows = await database.query<ScorePoint & Record<string, unknown>>(
    'SELECT at, total FROM ward.score WHERE bed = $1 AND at >= $2 ORDER BY at DESC LIMIT $3',
    [bed, from, pointsMax],
  )
  return rows.reverse()
}

/** The ward of a bed as the last reading said; undefined where nothing was heard of it. */
export async function wardOf(database: Database, bed: string): Promise<string | undefined> {
  const rows = await database.query<{ ward: string }>('SELECT ward FROM ward.bed WHERE bed = $1', [bed])
  return rows[0]?.ward
}

/** What is known of a device, for this person. `gone`: a push service has said so; `unknown`: also one that somebody has taken away. */
export type DeviceStanding = 'yours' | 'of another' | 'gone' | 'unknown'

export async function deviceStanding(
  database: Database,
  device: string,
  person: string,
): Promise<DeviceStanding> {
  const rows = await database.query<{ standing: DeviceStanding }>(
    `SELECT CASE WHEN person = $2 THEN 'yours' ELSE 'of another' END AS standing FROM ward.device WHERE id = $1
     UNION ALL SELECT 'gone' FROM ward.device_gone WHERE id = $1`,
    [device, person],
  )
  return rows[0]?.standing ?? 'unknown'
}

/** What qualification holds against this patient; undefined of a bed of which nothing was heard. */
export async function patientOf(
  database: Database,
  bed: string,
): Promise<Pick<Bed, 'patient' | 'limitsSet'> | undefined> {
  const rows = await database.query<Pick<Bed, 'patient'> & { limitsSet: Bed['limitsSet'] | null }>(
    `SELECT state -> 'patient' AS patient, state -> 'limitsSet' AS "limitsSet" FROM ward.bed WHERE bed = $1`,
    [bed],
  )
  const [row] = rows
  if (row === undefined) return undefined
  const { patient, limitsSet } = row
  return limitsSet == null ? { patient } : { patient, limitsSet }
}

export interface LimitsView {
  readonly saturationScale: 1 | 2
  /** Who has set limits or scale last; null where nobody has for this patient. */
  readonly setBy: string | null
  readonly setAt: Date | null
  readonly limits: readonly {
    readonly rule: string
    readonly text: string
    /** In force for this patient, and what it is where nobody has set another. */
    readonly limit: number
    readonly usual: number
    /** What it can be set to, both included. */
    readonly least: number
    readonly most: number
  }[]
}

/** Undefined of a bed of which nothing was heard. */
export async function limitsOf(database: Database, bed: string): Promise<LimitsView | undefined> {
  const known = await patientOf(database, bed)
  if (known === undefined) return undefined
  const { patient, limitsSet } = known
  const limits = limitRules.map((rule) => {
    const [least, most] = rule.allowed
    const { limit } = forPatient(rule, patient)
    return { rule: rule.name, text: rule.text, limit, usual: rule.limit, least, most }
  })
  const setAt = limitsSet === undefined ? null : new Date(limitsSet.atMs)
  return { saturationScale: patient.saturationScale, setBy: limitsSet?.by ?? null, setAt, limits }
}

export interface OwnAlarm extends AlarmBrief {
  readonly askedAt: Date
  /** What it was about is not over yet. */
  readonly stands: boolean
  readonly acknowledgedBy: string | null
  readonly acknowledgedAt: Date | null
  /** How many of this person nobody has in hand, whether they are among these or not. */
  readonly openInAll: number
}

const ownAlarmsMax = 50

/** Those that this person was told of, or would have been with a device, at most 50: first what nobody has in hand, what stands before what is over and the most urgent
 *  first, then the newest. From what the way to the phone keeps alone: it needs no history. */
export async function ownAlarms(database: Database, person: string): Promise<readonly OwnAlarm[]> {
  const rows = await database.query<{ brief: AlarmBrief } & Record<string, unknown>>(
    `WITH told AS (
       SELECT alarm, max(asked_at) AS asked_at, min(brief::text)::jsonb AS brief
       FROM ward.push WHERE person = $1 GROUP BY alarm
     ), known AS (
       SELECT told.*, seen.person AS seen_by, seen.at AS seen_at,
         coalesce(b.state #>> ARRAY['episodes', told.brief ->> 'rule', 'alarm'] = told.alarm, false)
           OR EXISTS (SELECT FROM ward.refused AS r WHERE r.alarm = told.alarm) AS stands
       FROM told
       LEFT JOIN ward.bed AS b ON b.bed = told.brief ->> 'bed'
       LEFT JOIN ward.acknowledgement AS seen ON seen.alarm = told.alarm
     )
     SELECT brief, asked_at AS "askedAt", stands, seen_by AS "acknowledgedBy", seen_at AS "acknowledgedAt",
       (count(*) FILTER (WHERE seen_by IS NULL) OVER ())::int AS "openInAll"
     FROM known
     ORDER BY seen_by IS NULL DESC, CASE WHEN seen_by IS NULL THEN stands END DESC,
       CASE WHEN seen_by IS NULL THEN array_position($3::text[], brief ->> 'priority') END, asked_at DESC, alarm
     LIMIT $2`,
    [person, ownAlarmsMax, priorities],
  )
  return rows.map(({ brief, ...rest }) => ({ ...brief, ...(rest as Omit<OwnAlarm, keyof AlarmBrief>) }))
}

export interface AlarmRow {
  readonly id: string
  readonly ward: string
  readonly bed: string
  readonly rule: string
  readonly priority: Priority
  readonly text: string
  readonly value: number | null
  readonly beganAt: Date
  readonly raisedAt: Date
  readonly endedAt: Date | null
  readonly acknowledgedAt: Date | null
  readonly acknowledgedBy: string | null
}

const alarmsMax = 500

/** Of a bed or a ward, newest first, at most 500. */
export function alarms(
  database: Database,
  { ward = null, bed = null }: { readonly ward?: string | null; readonly bed?: string | null },
): Promise<readonly AlarmRow[]> {
  return database.query<AlarmRow & Record<string, unknown>>(
    `SELECT a.id, a.ward, a.bed, a.rule, a.priority, a.text, a.value, a.began_at AS "beganAt", a.raised_at AS "raisedAt",
       (SELECT at FROM ward.alarm_step WHERE alarm = a.id AND what = 'alarm-ended') AS "endedAt",
       seen.at AS "acknowledgedAt", seen.person AS "acknowledgedBy"
     FROM ward.alarm AS a
     LEFT JOIN ward.alarm_step AS seen ON seen.alarm = a.id AND seen.what = 'alarm-acknowledged'
     WHERE ($1::text IS NULL OR a.ward = $1) AND ($2::text IS NULL OR a.bed = $2)
     ORDER BY a.raised_at DESC, a.id LIMIT $3`,
    [ward, bed, alarmsMax],
  )
}

export interface AlarmStep {
  readonly at: Date
  /** `alarm-raised`, `push-asked`, `push-handed-over`, `alarm-acknowledged` … */
  readonly what: string
  readonly person: string | null
  readonly device: string | null
  readonly detail: string | null
}

const stepsMax = 500

/** What became of an alarm, in order. */
export function stepsOf(database: Database, alarm: string): Promise<readonly AlarmStep[]> {
  return database.query<AlarmStep & Record<string, unknown>>(
    'SELECT at, what, person, device, detail FROM ward.alarm_step WHERE alarm = $1 ORDER BY at LIMIT $2',
    [alarm, stepsMax],
  )
}

export interface ShiftReport {
  readonly ward: string
  readonly from: Date
  readonly to: Date
  readonly writtenAt: Date
  readonly body: Readonly<Record<string, unknown>>
}

const reportsMax = 100

/** Newest first. */
export function reports(database: Database, ward: string): Promise<readonly ShiftReport[]> {
  return database.query<ShiftReport & Record<string, unknown>>(
    `SELECT ward, from_at AS "from", to_at AS "to", written_at AS "writtenAt", body
     FROM ward.report WHERE ward = $1 ORDER BY to_at DESC LIMIT $2`,
    [ward, reportsMax],
  )
}
