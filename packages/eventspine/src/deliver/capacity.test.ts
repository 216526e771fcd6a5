// How long whoever is no alarm rests, by how long alarms waited lately.
import { describe, expect, it } from 'vitest'
import { Capacity } from './capacity.js'

const chunk = { priority: 'normal', transactional: true, suspect: false } as const

function scene({ running = 1 } = {}) {
  const capacity = new Capacity()
  for (let n = 0; n < running; n++) capacity.take(chunk)
  const waited = (ms: number, times = 30) => {
    for (let n = 0; n < times; n++) capacity.alarmsWaited(ms)
    return Math.round(capacity.rest * 100) / 100
  }
  return { capacity, waited }
}

describe('a rest', () => {
  it('is none where there are no alarms, and where they begin soon', () => {
    const { capacity, waited } = scene()
    expect(capacity.rest).toBe(0)
    expect(waited(10)).toBe(0)
  })

  it('is the longer, the longer they wait, up to three times', () => {
    expect(scene().waited(15)).toBeCloseTo(0.5, 1)
    expect(scene().waited(20)).toBeCloseTo(1, 1)
    expect(scene().waited(1_000)).toBe(3)
  })

  it('is that of each of those that run', () => {
    expect(scene({ running: 3 }).waited(1_000)).toBe(9)
  })

  it('is forgotten once they begin soon again', () => {
    const { waited } = scene()
    expect(waited(1_000)).toBe(3)
    expect(waited(0)).toBe(0)
  })

  it('is not for a single one that waited', () => {
    expect(scene().waited(40, 1)).toBe(0)
  })
})

it('says whether alarms began meanwhile', () => {
  const { capacity, waited } = scene()
  const before = capacity.alarmChunks
  capacity.take(chunk)
  expect(capacity.alarmChunks).toBe(before)
  waited(0, 1)
  expect(capacity.alarmChunks).toBe(before + 1)
})
