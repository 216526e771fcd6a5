// Charts, board, history and report fail, then hang, then are a million events behind: what becomes of the alarms, in the ward of today
// and in its first shape. The faults are those that tables have: one that was renamed by a migration, one that is locked.
import { setTimeout as sleep } from 'node:timers/promises'
import { readingsTaken } from '../../src/events.js'
import { type AlarmFigures, type AlarmPoint, figuresOf, pointsOf } from './alarms.js'
import { Hospital, type Sample } from './hospital.js'
import type { Sent, Shape } from './protocol.js'
import type { Plan, Stays } from './stream.js'
import { TableFaults } from './table-faults.js'

export interface Phase {
  readonly name: 'warm-up' | 'well' | 'failing' | 'hanging' | 'mended' | 'behind'
  readonly fromMs: number
  readonly toMs: number
}

export interface Course {
  readonly shape: Shape
  readonly startMs: number
  readonly phases: readonly (Phase & AlarmFigures)[]
  readonly points: readonly AlarmPoint[]
  readonly samples: readonly Sample[]
  readonly sent: Sent
}

/** Patients come and go so fast that there is an alarm every fifth of a second. */
const staySeconds = 120
const settleMsMax = 30_000
const batchEvents = 1_000
const day = 86_400_000

export interface NeighboursOptions {
  readonly shape: Shape
  readonly stays: Stays
  readonly warmUpSeconds: number
  readonly phaseSeconds: number
  readonly beds: number
  readonly eventsPerSecond: number
  readonly say: (words: string) => void
}

type Step = readonly [name: Phase['name'], seconds: number, begin: () => Promise<unknown>]

/** Well, failing, hanging, mended: each for `phaseSeconds`. */
export async function failAndHang(options: NeighboursOptions): Promise<Course> {
  const hospital = await Hospital.open(options.shape)
  try {
    await hospital.worker({ recordsAreBehind: false })
    const faults = new TableFaults(hospital.url)
    const { phaseSeconds } = options
    return await course(hospital, options, [
      ['warm-up', options.warmUpSeconds, async () => {}],
      ['well', phaseSeconds, async () => {}],
      ['failing', phaseSeconds, () => faults.rename()],
      ['hanging', phaseSeconds, () => faults.restore().then(() => faults.lock())],
      ['mended', phaseSeconds, () => faults.unlock()],
    ])
  } finally {
    await hospital.close()
  }
}

/** What is kept was switched off, and so many readings lie before it. */
export async function farBehind(options: NeighboursOptions, events: number): Promise<Course> {
  const hospital = await Hospital.open(options.shape)
  try {
    await publishOld(hospital, options, events)
    await hospital.worker({ recordsAreBehind: true })
    return await course(hospital, options, [
      ['warm-up', options.warmUpSeconds, async () => {}],
      ['behind', options.phaseSeconds, async () => {}],
    ])
  } finally {
    await hospital.close()
  }
}

/** Of yesterday, and of patients who are well: no alarm is made of them. */
async function publishOld(hospital: Hospital, { beds, say }: NeighboursOptions, events: number) {
  const takenAt = new Date(Date.now() - day).toISOString()
  for (let n = 0; n < events; n += batchEvents) {
    say(`${n} of ${events} old readings are published`)
    await hospital.spine.publishMany(
      Array.from({ length: Math.min(batchEvents, events - n) }, (_, index) => ({
        event: readingsTaken,
        data: {
          ...{ ward: 'ward-0', bed: `old-${(n + index) % beds}` },
          readings: [{ parameter: 'HR' as const, value: 80, takenAt, artefact: false }],
        },
      })),
    )
  }
}

async function course(
  hospital: Hospital,
  options: NeighboursOptions,
  steps: readonly Step[],
): Promise<Course> {
  const { shape, stays, beds, eventsPerSecond, say } = options
  const seconds = steps.reduce((sum, [, each]) => sum + each, 0)
  const plan: Plan = { name: 'a', beds, eventsPerSecond, seconds, each: 'parameter', staySeconds }
  const generator = await hospital.generator({ plan })
  hospital.watch()
  generator.tell({ kind: 'start' })
  const { startMs } = await generator.says('started')
  const phases: Phase[] = []
  let toMs = startMs
  for (const [name, each, begin] of steps) {
    const fromMs = toMs
    toMs += each * 1_000
    await sleep(Math.max(0, fromMs - Date.now()))
    say(`${shape}: ${name} for ${each} s`)
    await begin()
    phases.push({ name, fromMs, toMs })
    await sleep(Math.max(0, toMs - Date.now()))
  }
  const { sent } = await generator.says('done')
  say(`${shape}: until everything is told, at most ${settleMsMax / 1_000} s`)
  await hospital.settled(settleMsMax)
  const points = pointsOf([{ plan, startMs }], stays, hospital.push.received)
  const judged = phases.map((phase) => ({ ...phase, ...figuresOf(points, phase.fromMs, phase.toMs) }))
  return { shape, startMs, phases: judged, points, samples: [...hospital.samples], sent }
}
