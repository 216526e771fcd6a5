// Each edge of each band of the chart, written down from it by hand, and what must hold of any score.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type News2Part, news2, news2Max, news2Parts, type Observations, observationsAt } from './news2.js'

const well: Required<Observations> = {
  ...{
    respiration: 16,
    saturation: 98,
    oxygen: false,
    systolic: 120,
    pulse: 70,
    alert: true,
    temperature: 37,
  },
}

type Edges = readonly (readonly [from: number, to: number, points: number])[]

const chart: Readonly<
  Record<string, { readonly part: News2Part; readonly edges: Edges; readonly also?: object }>
> = {
  respiration: {
    part: 'respiration',
    edges: [
      [0, 8, 3],
      [9, 11, 1],
      [12, 20, 0],
      [21, 24, 2],
      [25, 60, 3],
    ],
  },
  'SpO₂ scale 1': {
    part: 'saturation',
    edges: [
      [50, 91, 3],
      [92, 93, 2],
      [94, 95, 1],
      [96, 100, 0],
    ],
  },
  systolic: {
    part: 'systolic',
    edges: [
      [40, 90, 3],
      [91, 100, 2],
      [101, 110, 1],
      [111, 219, 0],
      [220, 300, 3],
    ],
  },
  pulse: {
    part: 'pulse',
    edges: [
      [0, 40, 3],
      [41, 50, 1],
      [51, 90, 0],
      [91, 110, 1],
      [111, 130, 2],
      [131, 200, 3],
    ],
  },
  temperature: {
    part: 'temperature',
    edges: [
      [30, 35, 3],
      [35.1, 36, 1],
      [36.1, 38, 0],
      [38.1, 39, 1],
      [39.1, 42, 2],
    ],
  },
}

describe('the bands', () => {
  test.each(Object.entries(chart))('of %s', (_name, { part, edges }) => {
    for (const [from, to, points] of edges)
      for (const value of [from, to])
        expect([value, news2({ ...well, [part]: value }).points[part]]).toEqual([value, points])
  })

  test.each([
    [
      'on air',
      false,
      [
        [80, 83, 3],
        [84, 85, 2],
        [86, 87, 1],
        [88, 92, 0],
        [93, 100, 0],
      ],
    ],
    [
      'on oxygen',
      true,
      [
        [80, 83, 3],
        [84, 85, 2],
        [86, 87, 1],
        [88, 92, 0],
        [93, 94, 1],
        [95, 96, 2],
        [97, 100, 3],
      ],
    ],
  ] as const)('of SpO₂ scale 2 %s', (_name, oxygen, edges) => {
    for (const [from, to, points] of edges)
      for (const saturation of [from, to])
        expect([saturation, news2({ ...well, oxygen, saturation }, 2).points.saturation]).toEqual([
          saturation,
          points,
        ])
  })

  test('of oxygen and of consciousness', () => {
    expect(news2({ ...well, oxygen: true })).toMatchObject({ total: 2, points: { oxygen: 2 } })
    expect(news2({ ...well, alert: false })).toMatchObject({ total: 3, points: { consciousness: 3 } })
  })

  test('leave no gap: a value between two of them belongs to the one that it rounds to', () => {
    expect(news2({ ...well, pulse: 90.4 }).points.pulse).toBe(0)
    expect(news2({ ...well, pulse: 90.5 }).points.pulse).toBe(1)
    expect(news2({ ...well, temperature: 38.04 }).points.temperature).toBe(0)
    expect(news2({ ...well, temperature: 38.05 }).points.temperature).toBe(1)
  })
})

describe('the response', () => {
  test.each([
    ['nothing wrong', {}, 0, 'low'],
    ['1 to 4', { respiration: 22, pulse: 120 }, 4, 'low'],
    ['3 in one part alone', { pulse: 140 }, 3, 'low-medium'],
    ['5 and 6', { respiration: 22, pulse: 120, temperature: 38.5 }, 5, 'medium'],
    ['5 of which 3 in one part', { pulse: 140, respiration: 22 }, 5, 'medium'],
    ['7 and more', { alert: false, oxygen: true, respiration: 22 }, 7, 'high'],
    [
      'all that there is',
      {
        ...{ respiration: 40, saturation: 80, oxygen: true, systolic: 60 },
        ...{ pulse: 150, alert: false, temperature: 34 },
      },
      news2Max,
      'high',
    ],
  ])('to %s', (_name, parts, total, response) => {
    expect(news2({ ...well, ...parts })).toMatchObject({ total, response, missing: [] })
  })
})

const observed = fc.record({
  respiration: fc.integer({ min: 0, max: 60 }),
  saturation: fc.integer({ min: 50, max: 100 }),
  oxygen: fc.boolean(),
  systolic: fc.integer({ min: 30, max: 300 }),
  pulse: fc.integer({ min: 0, max: 250 }),
  alert: fc.boolean(),
  temperature: fc.integer({ min: 300, max: 430 }).map((tenths) => tenths / 10),
})
const scale = fc.constantFrom(1 as const, 2 as const)
const partsOf = (part: News2Part) => (part === 'consciousness' ? 'alert' : part)

test('where parts are not known, the score is the least that it can be, and says which', () => {
  fc.assert(
    fc.property(observed, fc.subarray([...news2Parts]), scale, (whole, unknown, which) => {
      const partly = { ...whole, ...Object.fromEntries(unknown.map((part) => [partsOf(part), undefined])) }
      const score = news2(partly, which)
      expect([...score.missing].sort()).toEqual([...unknown].sort())
      expect(score.total).toBeLessThanOrEqual(news2(whole, which).total)
      expect(score.total).toBeLessThanOrEqual(news2Max)
      expect(score.total).toBe(Object.values(score.points).reduce((sum: number, each) => sum + each, 0))
    }),
  )
})

describe('what is known at a time', () => {
  const hour = 3_600_000
  const at = 10 * hour
  const taken = (value: number, hoursAgo = 0) => ({ value, atMs: at - hoursAgo * hour })

  test('is not older than it may be', () => {
    const latest = { HR: taken(80, 2), RespRate: taken(20, 2.1), Temp: taken(37, 8), GCS: taken(15, 8.1) }
    expect(observationsAt(latest, at)).toMatchObject({
      pulse: 80,
      respiration: undefined,
      temperature: 37,
      alert: undefined,
    })
  })

  test('is alert at a coma scale of 15, and not below', () => {
    expect(observationsAt({ GCS: taken(15) }, at).alert).toBe(true)
    expect(observationsAt({ GCS: taken(14) }, at).alert).toBe(false)
  })

  test.each([
    ['nothing is said of it', {}, undefined],
    ['air', { FiO2: taken(0.21) }, false],
    ['more than air', { FiO2: taken(0.24) }, true],
    ['a machine', { MechVent: taken(1) }, true],
    ['a machine that was taken off', { MechVent: taken(0) }, false],
    ['a machine on air', { FiO2: taken(0.21), MechVent: taken(1) }, true],
    ['too long ago', { FiO2: taken(0.5, 9) }, undefined],
    ['a machine long ago, and air now', { FiO2: taken(0.21), MechVent: taken(1, 9) }, false],
  ])('breathes oxygen, or not: %s', (_name, latest, oxygen) => {
    expect(observationsAt(latest, at).oxygen).toBe(oxygen)
  })

  test('has the pressure of the artery before that of the cuff, while it is fresh', () => {
    const cuff = taken(150)
    expect(observationsAt({ SysABP: taken(100, 0.4), NISysABP: cuff }, at).systolic).toBe(100)
    expect(observationsAt({ SysABP: taken(100, 0.6), NISysABP: cuff }, at).systolic).toBe(150)
    expect(observationsAt({ SysABP: taken(100, 0.6), NISysABP: taken(150, 0.7) }, at).systolic).toBe(100)
  })
})
