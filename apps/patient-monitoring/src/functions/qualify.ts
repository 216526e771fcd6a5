// From readings to alarms: one bed at a time, in order. What it knows of the bed, the alarms that it raises and the outcome of the
// delivery commit together, so that an alarm is raised once, whatever dies on the way.
import {
  defineSubscription,
  type Event,
  type EventOf,
  type HandlerContext,
  type Transaction,
} from 'eventspine'
import {
  alarmEnded,
  alarmRaised,
  bedCleared,
  bedClosed,
  bedMoved,
  deviceSilent,
  patientChanged,
  patientLimitsSet,
  peopleMax,
  readingsTaken,
  scoreChanged,
} from '../events.js'
import { alarmClass } from '../policies.js'
import { isTooLate } from '../rules/arrival.js'
import {
  type Bed,
  clear,
  counts,
  type Ended,
  emptyBed,
  hear,
  type Raised,
  type Reading,
  type Told,
  takeAll,
} from '../rules/bed.js'
import { limitsWith, type PatientLimits } from '../rules/limits.js'
import { isArtefact, isContinuous } from '../rules/parameters.js'

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

/** What an event makes known of a bed. */
interface News {
  readonly context: HandlerContext
  readonly place: Place
  readonly told: readonly Told[]
  readonly cleared: 'patient' | 'bed' | undefined
}

/** What an event makes of a bed. */
type Judgement = Pick<News, 'told' | 'cleared'> & { readonly known: Known }

const unheard: Known = { ward: null, bed: emptyBed, heardMs: null }

const interests = [
  readingsTaken,
  deviceSilent,
  patientLimitsSet,
  bedMoved,
  patientChanged,
  bedClosed,
] as const

/** `ageMsMax`: of a reading that was older when it came in no alarm is made. */
export const qualify = (ageMsMax: number) =>
  defineSubscription({
    name: 'qualify',
    description: 'Holds readings against the limits and the score of their patient, and raises alarms.',
    on: interests,
    ...alarmClass,
    // A bed whose event cannot be worked off goes on with the next: the next reading may be the one that counts.
    ordered: { afterDead: 'skip' },
    concurrency: 100,
    // What waits is gone through at once: three statements for a hundred readings, in place of two for each.
    async transactMany(deliveries, { tx }) {
      const known = await read(tx, [...new Set(deliveries.map(({ event }) => event.data.bed))])
      const changed = new Set<string>()
      const news: News[] = []
      for (const { event, context } of deliveries) {
        const { ward, bed } = event.data
        const next = judged(event, known.get(bed) ?? unheard, ageMsMax)
        if (next === undefined) continue
        known.set(bed, next.known)
        changed.add(bed)
        news.push({ context, place: { ward, bed }, told: next.told, cleared: next.cleared })
      }
      await write(tx, known, [...changed])
      await publish(tx, news)
    },
  })

/** What this event makes of a bed, and what is to be told; undefined where it changes nothing. */
function judged(event: EventOf<typeof interests>, known: Known, ageMsMax: number): Judgement | undefined {
  const { ward, bed: name } = event.data
  // What another ward says of a bed of that name is not about this one.
  if (event.type !== bedMoved.type && known.ward !== null && known.ward !== ward) return undefined
  if (event.type === patientChanged.type || event.type === bedClosed.type) return cleared(event, known)
  const told: Told[] = []
  let { bed, heardMs } = known
  const note = (next: Told) => {
    told.push(next)
    bed = next.bed
  }
  if (event.type === bedMoved.type) {
    // With all that is known of it.
  } else if (event.type === patientLimitsSet.type) {
    const { by } = event.data
    const limitsSet = { by, atMs: Date.parse(event.time) }
    bed = { ...bed, patient: withLimits(bed.patient, event.data), limitsSet }
  } else if (event.type === deviceSilent.type) {
    const silentMs = silentSince(event, heardMs)
    if (silentMs === null) return undefined
    heardMs = silentMs
    // The moment of the look: since when it is silent stands still, and with it the time until it may be told again.
    note(hear(name, bed, false, Math.max(silentMs, Date.parse(event.time))))
  } else {
    const atMs = Date.parse(event.time)
    const readings = event.data.readings.map(({ parameter, value, takenAt }) => ({
      ...{ parameter, value, takenMs: Date.parse(takenAt) },
    }))
    const arrival = { arrivedMs: atMs, ageMsMax }
    const inTime = readings.filter(({ takenMs }) => !isTooLate(takenMs, arrival))
    if (inTime.some((reading) => isHeard(known.bed, reading))) heardMs = Math.max(heardMs ?? 0, atMs)
    for (const next of takeAll(name, bed, readings, arrival)) note(next)
    if (heardMs === atMs) note(hear(name, bed, true, atMs))
  }
  return { known: { ward, bed, heardMs: heardMs ?? Date.parse(event.time) }, told, cleared: undefined }
}

/** Of a bed that nobody has heard of there is nothing to forget. */
function cleared(
  { type, time }: EventOf<typeof patientChanged> | EventOf<typeof bedClosed>,
  { ward, bed, heardMs }: Known,
): Judgement | undefined {
  if (ward === null) return undefined
  const isClosed = type === bedClosed.type
  const told = clear(bed, Date.parse(time), isClosed)
  const known = isClosed ? unheard : { ward, bed: told.bed, heardMs }
  return { known, told: [told], cleared: isClosed ? 'bed' : 'patient' }
}

/** What is not named stays as it was; null makes it the usual one again. */
function withLimits(
  before: PatientLimits,
  { limits, saturationScale }: EventOf<typeof patientLimitsSet>['data'],
) {
  return {
    limits: limitsWith(before, limits as Readonly<Record<string, number | null>>),
    saturationScale: saturationScale ?? before.saturationScale,
  }
}

/** A device is alive that sends anything, but not one whose clock stands so far back that nothing of it would ever count: as of one of which
 *  everything comes too late, somebody is told that the bed is silent. */
const isHeard = (bed: Bed, reading: Reading) =>
  (counts(bed, reading) || isArtefact(reading.parameter, reading.value)) && isOfMonitor(bed, reading)

/** A thermometer that speaks must not hide that the heart rate has stopped coming. Where nothing has ever come that is told all the time, whatever
 *  comes does. */
const isOfMonitor = ({ latest }: Bed, { parameter }: Reading) =>
  isContinuous(parameter) || !Object.keys(latest).some(isContinuous)

/** Null where something was heard since somebody noticed. */
function silentSince(
  event: Event<string, { heardAt: string | null }>,
  heardMs: number | null,
): number | null {
  const { heardAt } = event.data
  if (heardAt === null) return heardMs ?? Date.parse(event.time)
  return heardMs !== null && heardMs > Date.parse(heardAt) ? null : Date.parse(heardAt)
}

async function read(tx: Transaction, beds: readonly string[]): Promise<Map<string, Known>> {
  const { rows } = await tx.query<{ bed: string; ward: string; state: Bed; heard_at: Date }>(
    'SELECT bed, ward, state, heard_at FROM ward.bed WHERE bed = ANY($1)',
    [beds],
  )
  return new Map(
    rows.map(({ bed, ward, state, heard_at }) => [bed, { ward, bed: state, heardMs: heard_at.getTime() }]),
  )
}

async function write(tx: Transaction, known: ReadonlyMap<string, Known>, changed: readonly string[]) {
  const isThere = (bed: string) => (known.get(bed)?.ward ?? null) !== null
  const closed = changed.filter((bed) => !isThere(bed))
  if (closed.length > 0) await tx.query('DELETE FROM ward.bed WHERE bed = ANY($1)', [closed])
  const beds = changed.filter(isThere)
  if (beds.length === 0) return
  const all = beds.map((bed) => known.get(bed) ?? unheard)
  await tx.query(
    `INSERT INTO ward.bed AS b (bed, ward, state, heard_at)
     SELECT * FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::timestamptz[]) ORDER BY 1
     ON CONFLICT (bed) DO UPDATE SET ward = excluded.ward, state = excluded.state, heard_at = excluded.heard_at`,
    [
      beds,
      all.map(({ ward }) => ward),
      all.map(({ bed }) => JSON.stringify(bed)),
      all.map(({ heardMs }) => new Date(heardMs ?? 0).toISOString()),
    ],
  )
}

async function publish(tx: Transaction, news: readonly News[]): Promise<void> {
  const wards = new Set(
    news.filter(({ told }) => told.some(({ raised }) => raised.length > 0)).map(({ place }) => place.ward),
  )
  const duty = wards.size === 0 ? new Map<string, string[]>() : await onDuty(tx, [...wards])
  // In the order of the log, and none waits for another.
  await Promise.all(
    news.flatMap(({ context, place, told, cleared: what }) => [
      ...told.flatMap(({ raised }) => raised).map((each) => raise(context, place, each, duty)),
      ...told.flatMap(({ ended }) => ended).map((each) => end(context, place, each)),
      publishScore(context, place, told),
      // Behind all that was told of it: who keeps a row of the bed is not told of it again.
      ...(what === undefined ? [] : [context.publish(bedCleared, { ...place, isClosed: what === 'bed' })]),
    ]),
  )
}

function raise(
  { publish: tell }: HandlerContext,
  place: Place,
  { id, rule, priority, text, value, beganMs, raisedMs }: Raised,
  duty: ReadonlyMap<string, string[]>,
): Promise<unknown> {
  const people = duty.get(place.ward) ?? []
  const times = { beganAt: new Date(beganMs).toISOString(), raisedAt: new Date(raisedMs).toISOString() }
  return tell(alarmRaised, { id, ...place, rule, priority, text, value, ...times, people }, { id })
}

const end = ({ publish: tell }: HandlerContext, place: Place, { id, rule, endedMs }: Ended) =>
  tell(alarmEnded, { id, ...place, rule, endedAt: new Date(endedMs).toISOString() })

/** Of several in one event the last is told. */
async function publishScore(context: HandlerContext, place: Place, told: readonly Told[]): Promise<void> {
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

/** Whom of each ward, one after another. */
export async function onDuty(tx: Transaction, wards: readonly string[]): Promise<Map<string, string[]>> {
  const { rows } = await tx.query<{ ward: string; people: string[] }>(
    `SELECT ward, (array_agg(person ORDER BY position))[1:$2] AS people
     FROM ward.duty WHERE ward = ANY($1) GROUP BY ward`,
    [wards, peopleMax],
  )
  return new Map(rows.map(({ ward, people }) => [ward, people]))
}
