// From readings to alarms: one bed at a time, in order. What it knows of the bed, the alarms that it raises and the outcome of the
// delivery commit together, so that an alarm is raised once, whatever dies on the way.
import { defineSubscription, type Event, type EventOf, type TransactionContext } from 'eventspine'
import {
  alarmEnded,
  alarmRaised,
  bedMoved,
  deviceSilent,
  patientLimitsSet,
  peopleMax,
  readingsTaken,
  scoreChanged,
} from '../events.js'
import { alarmClass } from '../policies.js'
import { type Bed, counts, emptyBed, hear, type Reading, type Told, takeAll } from '../rules/bed.js'
import type { PatientLimits } from '../rules/limits.js'
import { isArtefact } from '../rules/parameters.js'

interface Known {
  /** Null of a bed of which nothing was heard so far. */
  readonly ward: string | null
  readonly bed: Bed
  /** When something was heard last, by the clock of whoever published it; null for never. */
  readonly heardMs: number | null
}

interface Place {
  readonly ward: string
  readonly bed: string
}

const interests = [readingsTaken, deviceSilent, patientLimitsSet, bedMoved] as const

export const qualify = defineSubscription({
  name: 'qualify',
  description: 'Holds readings against the limits and the score of their patient, and raises alarms.',
  on: interests,
  ...alarmClass,
  // A bed whose event cannot be worked off goes on with the next: the next reading may be the one that counts.
  ordered: { afterDead: 'skip' },
  concurrency: 100,
  async transact(event, context) {
    const { ward, bed: name } = event.data
    const known = await read(context, name)
    // What another ward says of a bed of that name is not about this one.
    if (event.type !== bedMoved.type && known.ward !== null && known.ward !== ward) return
    const told: Told[] = []
    let { bed, heardMs } = known
    const note = (next: Told) => {
      told.push(next)
      bed = next.bed
    }
    if (event.type === bedMoved.type) {
      // With all that is known of it.
    } else if (event.type === patientLimitsSet.type) {
      bed = { ...bed, patient: withLimits(bed.patient, event.data) }
    } else if (event.type === deviceSilent.type) {
      const silentMs = silentSince(event, heardMs)
      if (silentMs === null) return
      heardMs = silentMs
      // The moment of the look: since when it is silent stands still, and with it the time until it may be told again.
      note(hear(name, bed, false, Math.max(silentMs, Date.parse(event.time))))
    } else {
      const atMs = Date.parse(event.time)
      const readings = event.data.readings.map(({ parameter, value, takenAt }) => ({
        ...{ parameter, value, takenMs: Date.parse(takenAt) },
      }))
      if (readings.some((reading) => isHeard(known.bed, reading))) heardMs = Math.max(heardMs ?? 0, atMs)
      for (const next of takeAll(name, bed, readings)) note(next)
      if (heardMs === atMs) note(hear(name, bed, true, atMs))
    }
    await write(context, { ward, bed: name }, { bed, heardMs: heardMs ?? Date.parse(event.time) })
    await publish(context, { ward, bed: name }, told)
  },
})

/** What is not named stays as it was; null makes it the usual one again. */
function withLimits(
  before: PatientLimits,
  { limits, saturationScale }: EventOf<typeof patientLimitsSet>['data'],
) {
  const named = Object.entries({ ...before.limits, ...limits }).filter(([, limit]) => limit !== null)
  return {
    limits: Object.fromEntries(named) as PatientLimits['limits'],
    saturationScale: saturationScale ?? before.saturationScale,
  }
}

/** A device is alive that sends anything, but not one whose clock stands so far back that nothing of it would ever count. */
const isHeard = (bed: Bed, reading: Reading) =>
  counts(bed, reading) || isArtefact(reading.parameter, reading.value)

/** Null where something was heard since somebody noticed. */
function silentSince(
  event: Event<string, { heardAt: string | null }>,
  heardMs: number | null,
): number | null {
  const { heardAt } = event.data
  if (heardAt === null) return heardMs ?? Date.parse(event.time)
  return heardMs !== null && heardMs > Date.parse(heardAt) ? null : Date.parse(heardAt)
}

async function read({ tx }: TransactionContext, bed: string): Promise<Known> {
  const { rows } = await tx.query<{ ward: string; state: Bed; heard_at: Date }>(
    'SELECT ward, state, heard_at FROM ward.bed WHERE bed = $1',
    [bed],
  )
  const [row] = rows
  return row === undefined
    ? { ward: null, bed: emptyBed, heardMs: null }
    : { ward: row.ward, bed: row.state, heardMs: row.heard_at.getTime() }
}

async function write(
  { tx }: TransactionContext,
  { ward, bed: name }: Place,
  known: Omit<Known, 'ward'>,
): Promise<void> {
  await tx.query(
    `INSERT INTO ward.bed AS b (bed, ward, state, heard_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (bed) DO UPDATE SET ward = excluded.ward, state = excluded.state, heard_at = excluded.heard_at`,
    [name, ward, JSON.stringify(known.bed), new Date(known.heardMs ?? 0)],
  )
}

async function publish(context: TransactionContext, place: Place, told: readonly Told[]): Promise<void> {
  const raised = told.flatMap((each) => each.raised)
  const people = raised.length === 0 ? [] : await onDuty(context, place.ward)
  for (const { id, rule, priority, text, value, beganMs, raisedMs } of raised) {
    const times = { beganAt: new Date(beganMs).toISOString(), raisedAt: new Date(raisedMs).toISOString() }
    await context.publish(
      alarmRaised,
      { id, ...place, rule, priority, text, value, ...times, people },
      { id },
    )
  }
  for (const { id, rule, endedMs } of told.flatMap((each) => each.ended))
    await context.publish(alarmEnded, { id, ...place, rule, endedAt: new Date(endedMs).toISOString() })
  await publishScore(context, place, told)
}

/** Of several in one event the last is told. */
async function publishScore(context: TransactionContext, place: Place, told: readonly Told[]): Promise<void> {
  const last = told.findLast(({ score }) => score !== undefined)
  if (last?.score === undefined) return
  const { total, response, missing } = last.score
  const atMs = Math.max(...Object.values(last.bed.latest).map((each) => each.atMs))
  await context.publish(scoreChanged, {
    ...place,
    total,
    response,
    missing: [...missing],
    at: new Date(atMs).toISOString(),
  })
}

async function onDuty({ tx }: TransactionContext, ward: string): Promise<string[]> {
  const { rows } = await tx.query<{ person: string }>(
    'SELECT person FROM ward.duty WHERE ward = $1 ORDER BY position LIMIT $2',
    [ward, peopleMax],
  )
  return rows.map(({ person }) => person)
}
