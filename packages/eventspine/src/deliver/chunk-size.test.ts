// Chunks grow where they are full and fast, and are few where they are slow or one of them fails; a window gathers what comes in.
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../kernel/virtual-clock.js'
import { ChunkSize } from './chunk-size.js'
import type { Item } from './item.js'

const done = (length: number) => Array.from({ length }, () => ({ ending: { kind: 'done' } }) as Item)
const failed = { ending: { kind: 'retry' } } as Item

function scene({ batchEventsMax = 1_000, batchWindowMs = 0 } = {}) {
  const clock = new VirtualClock()
  const chunks = new ChunkSize({ batchEventsMax, batchWindowMs }, clock)
  const chunk = async (ms: number, items = done(chunks.itemsMax)) => {
    chunks.began()
    await clock.advance(ms)
    chunks.ended(items)
    return chunks.itemsMax
  }
  return { clock, chunks, chunk }
}

describe('its size', () => {
  it('doubles behind a full chunk that was fast, up to a thousand', async () => {
    const { chunk } = scene()
    const sizes = []
    for (let n = 0; n < 5; n++) sizes.push(await chunk(49))
    expect(sizes).toEqual([200, 400, 800, 1_000, 1_000])
  })

  it('stays where a chunk was not full, or neither fast nor slow', async () => {
    const { chunk } = scene()
    await chunk(10)
    expect(await chunk(10, done(199))).toBe(200)
    expect(await chunk(50)).toBe(200)
    expect(await chunk(200)).toBe(200)
  })

  it('is halved behind a slow one, and never less than a hundred', async () => {
    const { chunk } = scene()
    for (let n = 0; n < 3; n++) await chunk(10)
    expect(await chunk(201)).toBe(400)
    expect(await chunk(201)).toBe(200)
    expect(await chunk(201)).toBe(100)
    expect(await chunk(5_000)).toBe(100)
  })

  it('begins anew behind one in which something failed, or was given up', async () => {
    const { chunk } = scene()
    for (let n = 0; n < 3; n++) await chunk(10)
    expect(await chunk(10, [...done(7), failed])).toBe(100)
    await chunk(10)
    expect(await chunk(10, [...done(7), { ending: undefined } as Item])).toBe(100)
  })

  it('is never more than is read at once', () => {
    expect(scene({ batchEventsMax: 30 }).chunks.itemsMax).toBe(30)
  })
})

describe('a window', () => {
  it('holds nothing where there is none', async () => {
    const { chunks, chunk } = scene()
    await chunk(0)
    expect(chunks.waitMs(1)).toBe(0)
  })

  it('lets the first begin at once, and the next at its end, or when it is full', async () => {
    const { clock, chunks, chunk } = scene({ batchWindowMs: 200 })
    expect(chunks.waitMs(1)).toBe(0)
    await chunk(30, done(1))
    expect(chunks.waitMs(0)).toBe(0)
    expect(chunks.waitMs(1)).toBe(170)
    expect(chunks.waitMs(99)).toBe(170)
    expect(chunks.waitMs(100)).toBe(0)
    await clock.advance(170)
    expect(chunks.waitMs(1)).toBe(0)
  })
})
