// What readings make of a bed: examples for each rule of the game, and what must hold of any readings at all.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Arrival } from './arrival.js'
import { type Bed, emptyBed, hear, type Raised, type Reading, type Told, takeAll } from './bed.js'
import { limitRules, repeatMs, ruleNames, scoreRules } from './limits.js'
import { isArtefact, type Parameter, parameterNames, parameters } from './parameters.js'

const second = 1_000
const minute = 60 * second
const start = Date.UTC(2026, 0, 1)

/** Whatever is taken, nothing of it comes too late. */
const inTime: Arrival = { arrivedMs: start, ageMsMax: Number.MAX_SAFE_INTEGER }

const at = (seconds: number, parameter: Parameter, value: number): Reading => ({
  ...{ parameter, value, takenMs: start + seconds * second },
})

function through(readings: readonly Reading[], bed: Bed = emptyBed, arrival: Arrival = inTime) {
  const told: Told[] = []
  for (const reading of readings)
    for (const next of takeAll('7', bed, [reading], arrival)) {
      told.push(next)
      bed = next.bed
    }
  return { bed, told, raised: told.flatMap((each) => each.raised), ended: told.flatMap((each) => each.ended) }
}

const named = (raised: readonly Pick<Raised, 'rule'>[]) => raised.map(({ rule }) => rule)
const limitsAlone = (raised: readonly Raised[]) => named(raised).filter((rule) => !rule.startsWith('news2'))

describe('a limit', () => {
  test('that is passed for long enough is an alarm, under the reading that made it one', () => {
    const { raised } = through([at(0, 'HR', 135), at(5, 'HR', 136), at(10, 'HR', 137), at(15, 'HR', 138)])
    expect(raised.filter(({ rule }) => rule === 'pulse-high')).toEqual([
      {
        ...{ id: '7.pulse-high.20260101T000010.000Z', rule: 'pulse-high', priority: 'medium' },
        ...{ text: 'heart rate high', value: 137, beganMs: start, raisedMs: start + 10 * second },
      },
    ])
  })

  test('that was within bounds in between begins anew', () => {
    const { raised } = through([at(0, 'HR', 135), at(5, 'HR', 130), at(10, 'HR', 135), at(15, 'HR', 135)])
    expect(limitsAlone(raised)).toEqual([])
  })

  test('that is urgent does not wait', () => {
    expect(limitsAlone(through([at(0, 'HR', 151)]).raised)).toEqual(['pulse-very-high'])
    expect(limitsAlone(through([at(0, 'HR', 0)]).raised)).toEqual(['pulse-very-low'])
    expect(limitsAlone(through([at(0, 'RespRate', 0)]).raised)).toEqual(['respiration-low'])
  })

  test('is the last value that is no alarm', () => {
    for (const { vital, limit, side } of limitRules) {
      const parameter = {
        pulse: 'HR',
        respiration: 'RespRate',
        saturation: 'SaO2',
        systolic: 'SysABP',
        mean: 'MAP',
        temperature: 'Temp',
        consciousness: 'GCS',
      }[vital] as Parameter
      const names = (value: number) =>
        limitsAlone(through([at(0, parameter, value), at(20, parameter, value)]).raised)
      const sign = side === 'high' ? 1 : -1
      const rulesOf = limitRules.filter((rule) => rule.vital === vital && rule.side === side)
      const beyond = rulesOf.find((rule) => rule.limit === limit)?.name ?? ''
      expect(names(limit)).not.toContain(beyond)
      expect(names(limit + sign * 0.5)).toContain(beyond)
    }
  })

  test('ends the alarm only when it is kept by some margin', () => {
    const { ended, bed } = through([at(0, 'HR', 160), at(60, 'HR', 150), at(120, 'HR', 146)])
    expect(ended).toEqual([])
    const { ended: later } = through([at(180, 'HR', 145)], bed)
    expect(later).toMatchObject([{ id: '7.pulse-very-high.20260101T000000.000Z', rule: 'pulse-very-high' }])
  })

  test('that covers a lesser one is told alone; the lesser one once that is over, if it still holds, and once', () => {
    const urgent = [at(0, 'HR', 160), at(60, 'HR', 161)]
    const { raised, ended } = through([...urgent, at(120, 'HR', 140), at(180, 'HR', 140), at(480, 'HR', 140)])
    expect(raised.filter(({ rule }) => rule.startsWith('pulse'))).toMatchObject([
      { rule: 'pulse-very-high', raisedMs: start },
      { rule: 'pulse-high', beganMs: start, raisedMs: start + 2 * minute, value: 140 },
    ])
    expect(named(ended)).toContain('pulse-very-high')
    expect(limitsAlone(through([...urgent, at(120, 'HR', 100), at(180, 'HR', 100)]).raised)).toEqual([
      'pulse-very-high',
    ])
  })

  test('that gets worse is told again by the urgent rule', () => {
    const { raised } = through([at(0, 'HR', 140), at(10, 'HR', 140), at(20, 'HR', 155)])
    expect(limitsAlone(raised)).toEqual(['pulse-high', 'pulse-very-high'])
  })

  test('may be another one for one patient', () => {
    const patient = { limits: { 'pulse-very-high': 170 }, saturationScale: 1 as const }
    const athlete = { ...emptyBed, patient }
    expect(limitsAlone(through([at(0, 'HR', 160)], athlete).raised)).toEqual([])
    expect(limitsAlone(through([at(0, 'HR', 171)], athlete).raised)).toEqual(['pulse-very-high'])
  })
})

describe('a repeat', () => {
  const swings = (seconds: number) => [at(seconds, 'HR', 160), at(seconds + 1, 'HR', 100)]

  test('is not told, but counted', () => {
    const { raised, bed } = through([...swings(0), ...swings(60), ...swings(120)])
    expect(limitsAlone(raised)).toEqual(['pulse-very-high'])
    expect(bed.episodes['pulse-very-high']).toMatchObject({ phase: 'quiet', suppressed: 2 })
  })

  test('that still holds when its time is over is told', () => {
    const again = [at(60, 'HR', 160), at(299, 'HR', 160), at(300, 'HR', 160)]
    const { raised } = through([...swings(0), ...again])
    expect(raised.filter(({ rule }) => rule === 'pulse-very-high').map(({ id }) => id)).toEqual([
      ...['7.pulse-very-high.20260101T000000.000Z', '7.pulse-very-high.20260101T000500.000Z'],
    ])
  })

  test('of one minute, which a recording may hold, is another alarm once it is told', () => {
    const minute = [at(0, 'HR', 160), at(0, 'HR', 100), at(0, 'HR', 160)]
    const ids = through([...minute, at(300, 'HR', 160)]).raised.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toContain('7.pulse-very-high.20260101T000500.000Z')
  })
})

describe('the score', () => {
  const ill = [at(0, 'RespRate', 26), at(1, 'GCS', 14)]

  test('is an alarm by what is known, and is told with what is missing', () => {
    const { raised, told } = through([...ill, at(2, 'MechVent', 1)])
    expect(named(raised)).toEqual(['news2-single', 'news2-medium', 'news2-high'])
    expect(told.at(-1)?.score).toMatchObject({
      ...{ total: 8, response: 'high', missing: ['saturation', 'systolic', 'pulse', 'temperature'] },
    })
  })

  test('that falls is told as what it has become, once each', () => {
    const falls = [at(60, 'HR', 100), at(120, 'HR', 80), at(180, 'Temp', 37), at(240, 'Temp', 37)]
    const worth7 = [at(0, 'GCS', 14), at(0, 'HR', 131), at(0, 'Temp', 36)]
    const { bed, raised } = through(falls, takeAll('7', emptyBed, worth7, inTime).at(-1)?.bed)
    expect(named(raised)).toEqual(['news2-medium', 'news2-single'])
    expect(bed.episodes).toMatchObject({ 'news2-high': { phase: 'quiet', raisedMs: start } })
  })

  test('is told once as long as it stays the same', () => {
    const { told } = through([...ill, at(60, 'GCS', 13), at(120, 'RespRate', 27)])
    expect(told.map(({ score }) => score?.total)).toEqual([3, 6, undefined, undefined])
  })

  test('is over when it is less by two', () => {
    const { ended, bed } = through([...ill, at(2, 'MechVent', 1), at(60, 'RespRate', 22)])
    expect(bed.score?.total).toBe(7)
    expect(ended).toEqual([])
    expect(through([at(120, 'RespRate', 11)], bed).ended).toEqual([])
    expect(through([at(120, 'RespRate', 14)], bed).ended).toMatchObject([{ rule: 'news2-high' }])
  })

  test('has another scale of saturation where a clinician says so', () => {
    const patient = { limits: {}, saturationScale: 2 as const }
    expect(through([at(0, 'SaO2', 90)]).bed.score?.total).toBe(3)
    expect(through([at(0, 'SaO2', 90)], { ...emptyBed, patient }).bed.score?.total).toBe(0)
  })
})

describe('readings of one moment', () => {
  const score = { RespRate: 25, FiO2: 0.4, SaO2: 98, SysABP: 120, HR: 80, GCS: 15, Temp: 37 } as const
  const together = (values: Partial<Record<Parameter, number>>, seconds = 0, bed = emptyBed) =>
    takeAll(
      '7',
      bed,
      Object.entries(values).map(([parameter, value]) => at(seconds, parameter as Parameter, value)),
      inTime,
    )
  const raisedBy = (told: readonly Told[]) => named(told.flatMap(({ raised }) => raised))

  test('make one score, in whatever order they are written', () => {
    const bed = together(score).at(-1)?.bed
    expect(bed?.score?.total).toBe(5)
    for (const batch of [
      { Temp: 39.2, RespRate: 16 },
      { RespRate: 16, Temp: 39.2 },
    ]) {
      const told = together(batch, 60, bed)
      expect(told.map((each) => each.score?.total)).toEqual([4])
      expect(raisedBy(told)).toEqual([])
    }
  })

  test('that are worth a high alarm at once are one alarm', () => {
    expect(raisedBy(together({ ...score, Temp: 39.2 }))).toEqual(['news2-high'])
  })

  test('have the artery before the cuff', () => {
    expect(raisedBy(together({ NISysABP: 60, SysABP: 120 }))).toEqual([])
  })

  test('that are of one parameter all count, and what was taken before is taken before', () => {
    const twice = [at(0, 'HR', 160), at(0, 'HR', 100)]
    expect(limitsAlone(takeAll('7', emptyBed, twice, inTime).flatMap(({ raised }) => raised))).toEqual([
      'pulse-very-high',
    ])
    const backwards = [at(15, 'HR', 135), at(0, 'HR', 135)]
    expect(limitsAlone(takeAll('7', emptyBed, backwards, inTime).flatMap(({ raised }) => raised))).toEqual([
      'pulse-high',
    ])
  })
})

describe('a reading that came too late', () => {
  const hour = 60 * minute
  /** Came in so many seconds after the start. */
  const arriving = (seconds: number): Arrival => ({ arrivedMs: start + seconds * second, ageMsMax: hour })

  test('is no alarm; the first that comes in time and says the same is one, and has begun with it', () => {
    const { bed, raised } = through([at(0, 'HR', 160), at(60, 'RespRate', 40)], emptyBed, arriving(3_661))
    expect(raised).toEqual([])
    const next = through([at(3_600, 'HR', 155)], bed, arriving(3_661))
    expect(next.raised.filter(({ rule }) => rule === 'pulse-very-high')).toMatchObject([
      { id: '7.pulse-very-high.20260101T010000.000Z', beganMs: start, raisedMs: start + hour },
    ])
  })

  test('is one that is a millisecond older than it may be', () => {
    expect(limitsAlone(through([at(0, 'HR', 160)], emptyBed, arriving(3_600)).raised)).toHaveLength(1)
    expect(through([at(0, 'HR', 160)], emptyBed, arriving(3_600.001)).raised).toEqual([])
  })

  test('ends an alarm, so that the next is told', () => {
    const { bed } = through([at(0, 'HR', 160)])
    const over = through([at(600, 'HR', 80)], bed, arriving(7_200))
    expect(named(over.ended as never)).toContain('pulse-very-high')
    expect(limitsAlone(through([at(7_200, 'HR', 160)], over.bed, arriving(7_200)).raised)).toEqual([
      'pulse-very-high',
    ])
  })

  test('is known to the score of those that come in time', () => {
    const { bed } = through([at(0, 'Temp', 34), at(0, 'GCS', 14)], emptyBed, arriving(7_200))
    const { told } = through([at(7_200, 'RespRate', 30)], bed, arriving(7_200))
    expect(told.at(-1)?.score?.total).toBe(9)
  })
})

describe('silence', () => {
  test('is an alarm until something is heard', () => {
    const { bed, raised } = hear('7', emptyBed, false, start)
    expect(raised).toMatchObject([{ id: '7.device-silent.20260101T000000.000Z', value: null }])
    expect(hear('7', bed, false, start + minute).raised).toEqual([])
    expect(hear('7', bed, true, start + minute).ended).toMatchObject([{ rule: 'device-silent' }])
  })
})

test('a value that cannot be is an artefact, also one that is no number', () => {
  for (const parameter of parameterNames) {
    const [least, greatest] = parameters[parameter].plausible
    expect([least, greatest].map((value) => isArtefact(parameter, value))).toEqual([false, false])
    const strange = [least - 0.01, greatest + 0.01, Number.NaN, Number.POSITIVE_INFINITY]
    expect(strange.map((value) => isArtefact(parameter, value))).toEqual([true, true, true, true])
  }
  expect(isArtefact('Temp', 17)).toBe(true)
  expect(isArtefact('SysABP', 0)).toBe(true)
})

// ── of any readings ──

const plausible = (parameter: Parameter) => {
  const [least, greatest] = parameters[parameter].plausible
  return fc.double({ min: least, max: greatest, noNaN: true })
}
const anyReading = fc
  .tuple(fc.constantFrom(...parameterNames), fc.integer({ min: 0, max: 20 }))
  .chain(([parameter, steps]) => plausible(parameter).map((value) => ({ parameter, value, steps })))
const anyReadings = fc.array(anyReading, { minLength: 1, maxLength: 80 }).map((steps) => {
  let seconds = 0
  return steps.map(({ parameter, value, steps: more }) => at((seconds += more * 15), parameter, value))
})

test('no alarm has the id of another, and each rule begins and ends by turns, not too often', () => {
  fc.assert(
    fc.property(anyReadings, (readings) => {
      const { told, raised } = through(readings)
      expect(new Set(raised.map(({ id }) => id)).size).toBe(raised.length)
      const open = new Map<string, string>()
      const last = new Map<string, number>()
      const rules = [...limitRules, ...scoreRules]
      for (const { raised, ended } of told) {
        for (const { id, rule, raisedMs, beganMs } of raised) {
          expect(open.has(rule)).toBe(false)
          const { priority, delayMs } = rules.find(({ name }) => name === rule) ?? expect.fail(rule)
          expect(raisedMs - beganMs).toBeGreaterThanOrEqual(delayMs)
          expect(raisedMs - (last.get(rule) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(
            repeatMs[priority],
          )
          open.set(rule, id)
          last.set(rule, raisedMs)
        }
        for (const { id, rule } of ended) {
          expect(open.get(rule)).toBe(id)
          open.delete(rule)
        }
      }
    }),
  )
})

test('an artefact and a reading that comes late change nothing', () => {
  fc.assert(
    fc.property(anyReadings, fc.array(fc.nat(), { maxLength: 5 }), (readings, places) => {
      const noise = (index: number): Reading[] => {
        const before = readings.slice(0, index)
        const newest = before.at(-1)
        if (newest === undefined) return [at(0, 'Temp', 17), at(0, 'SysABP', 0)]
        const late = {
          ...newest,
          value: parameters[newest.parameter].plausible[0],
          takenMs: newest.takenMs - 1,
        }
        return [late, { ...newest, parameter: 'Temp', value: -17.8 }]
      }
      const disturbed = readings.flatMap((reading, index) =>
        places.some((place) => place % readings.length === index) ? [...noise(index), reading] : [reading],
      )
      expect(through(disturbed).raised).toEqual(through(readings).raised)
      expect(through(disturbed).bed).toEqual(through(readings).bed)
    }),
  )
})

test('what is kept of a bed survives the way into a table and back', () => {
  fc.assert(
    fc.property(anyReadings, (readings) => {
      const middle = Math.floor(readings.length / 2)
      const { bed } = through(readings.slice(0, middle))
      const restored = JSON.parse(JSON.stringify(bed)) as Bed
      const rest = readings.slice(middle)
      expect(through(rest, restored).raised).toEqual(through(rest, bed).raised)
    }),
  )
})

test('every rule has a name of its own', () => {
  expect(new Set(ruleNames).size).toBe(ruleNames.length)
})
