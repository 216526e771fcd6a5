// The recorded stays, as readings of beds: what was measured so long after admission, in the order of the file.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { isParameter, type Parameter } from '../rules/parameters.js'

export interface Recorded {
  readonly bed: string
  readonly parameter: Parameter
  readonly value: number
  /** Since admission. */
  readonly afterMs: number
}

export const recordings = new URL('../../data/vitals.csv.gz', import.meta.url)

const minuteMs = 60_000

/** Of the first `staysMax` stays, one stay after another. */
export async function* recordedReadings(staysMax = Number.POSITIVE_INFINITY): AsyncGenerator<Recorded> {
  const file = createReadStream(recordings)
  const lines = createInterface({ input: file.pipe(createGunzip()), crlfDelay: Number.POSITIVE_INFINITY })
  let bed: string | undefined
  let stays = 0
  try {
    for await (const line of lines) {
      const [stay = '', time = '', parameter = '', value = ''] = line.split(',')
      // The first line names the columns.
      if (!isParameter(parameter)) continue
      if (stay !== bed && (stays += 1) > staysMax) return
      bed = stay
      const [hours = 0, minutes = 0] = time.split(':').map(Number)
      yield { bed, parameter, value: Number(value), afterMs: (hours * 60 + minutes) * minuteMs }
    }
  } finally {
    lines.close()
    file.destroy()
  }
}

/** All of them, in the order in which they were taken; those of one bed and one minute in the order of the file. */
export async function inOrderOfTime(staysMax: number): Promise<readonly Recorded[]> {
  const all: Recorded[] = []
  for await (const each of recordedReadings(staysMax)) all.push(each)
  return all.sort((a, b) => a.afterMs - b.afterMs)
}
