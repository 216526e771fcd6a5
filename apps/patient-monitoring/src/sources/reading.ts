// A reading on its way in: refused with a reason, or marked and taken. A clock that runs ahead is refused as well: behind a reading of
// tomorrow everything of today would be late, and no alarm.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { name, readingsTaken } from '../events.js'
import { isArtefact, parameterNames } from '../rules/parameters.js'

export const given = z.strictObject({
  parameter: z.enum(parameterNames),
  value: z.number(),
  takenAt: z.iso.datetime(),
})

export type Given = z.infer<typeof given>

/** Clocks of devices may be ahead of ours by so much. What is behind is taken, however much, unless no clock could say it. */
const aheadMsMax = 5 * 60_000

/** Why its time cannot be; undefined where it can. */
export function faultOfTime(takenAt: string, nowMs: number): string | undefined {
  const takenMs = Date.parse(takenAt)
  if (takenMs >= 0 && takenMs - nowMs <= aheadMsMax) return undefined
  return `is ${takenAt}, and here it is ${new Date(nowMs).toISOString()}: set the clock of the device`
}

/** Why this is no ward, bed or person; undefined where it is one. */
export const faultOfName = (text: string): string | undefined =>
  name.safeParse(text).error?.issues[0]?.message

/** Of a batch: one that a gateway sends again, because it heard no answer, is the same. */
export const batchIdOf = (ward: string, bed: string, readings: readonly Given[]): string =>
  `${bed}#${createHash('sha256')
    .update(
      JSON.stringify([ward, readings.map(({ parameter, value, takenAt }) => [parameter, value, takenAt])]),
    )
    .digest('base64url')}`

/** As an event of one bed. */
export const taken = (ward: string, bed: string, readings: readonly Given[]) => ({
  event: readingsTaken,
  data: {
    ...{ ward, bed },
    readings: readings.map((reading) => ({
      ...reading,
      artefact: isArtefact(reading.parameter, reading.value),
    })),
  },
})
