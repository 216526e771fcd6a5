// Chunks grow where they are full and fast, and are few where they are slow or one of them fails; a window gathers what comes in.
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../kernel/virtual-clock.js'
import { ChunkSize } from './chunk-size.js'
import type { Item } from './item.js'

const done = (length: number) => Array.from({ length }, () => ({ ending: { kind: 'done' } }) as Item)
const failed = { ending: { kind: 'retry' } } as Item

function scene({ batchEventsMax = 1_000, batchWindowMs = 0, many = false } = {}) {
  const clock = new VirtualClock()
  const transactMany = many ? () => {} : undefined
  const chunks = new ChunkSize({ batchEventsMax, batchWindowMs, transactMany }, clock)
  const chunk = async (ms: number, items = done(chunks.itemsMax), rest?: number) => {
    chunks.began()
    await clock.advance(ms)
    chunks.ended(items, rest)
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

describe('its size, of calls for many', () => {
  it('grows while twice as many go home sooner, although each call is slow', async () => {
    const { chunk } = scene({ many: true })
    // What any call costs, and 0.3 ms for each delivery.
    const sizes = [100]
    for (let n = 0; n < 4; n++) sizes.push(await chunk(300 + (sizes.at(-1) ?? 0) * 0.3))
    expect(sizes).toEqual([100, 200, 400, 800, 1_000])
    expect(await chunk(600)).toBe(1_000)
  })

  it('goes back where they do not, and tries again much later', async () => {
    const { chunk } = scene({ many: true })
    const sizes: number[] = []
    for (let n = 0; n < 20; n++) sizes.push(await chunk((sizes.at(-1) ?? 100) * 2))
    expect(sizes.slice(0, 3)).toEqual([200, 100, 100])
    expect(sizes.indexOf(200, 1)).toBe(18)
  })

  it('is halved behind a call of more than a second', async () => {
    const { chunk } = scene({ many: true })
    for (let n = 0; n < 3; n++) await chunk(10)
    expect(await chunk(1_001)).toBe(400)
  })

  it('is beside alarms what it is for one handler after another', async () => {
    const { chunk } = scene({ many: true })
    const beside = (ms: number, items?: Item[]) => chunk(ms, items, 0)
    for (let n = 0; n < 3; n++) await beside(10)
    expect(await beside(60)).toBe(800)
    expect(await beside(201)).toBe(400)
  })
})

describe('a rest', () => {
  it('lets the next begin so many times as long after the last as that ran, also a full one', async () => {
    const { clock, chunks, chunk } = scene()
    await chunk(40, done(100), 1.5)
    expect(chunks.waitMs(1_000)).toBe(60)
    expect(chunks.waitMs(0)).toBe(0)
    await clock.advance(60)
    expect(chunks.waitMs(1_000)).toBe(0)
  })

  it('is no longer than half a second, and none where alarms begin soon', async () => {
    const { chunks, chunk } = scene()
    await chunk(10_000, done(100), 3)
    expect(chunks.waitMs(1_000)).toBe(500)
    await chunk(10_000, done(100), 0)
    expect(chunks.waitMs(1_000)).toBe(0)
  })

  it('and a window last as long as the longer of them', async () => {
    const { chunks, chunk } = scene({ batchWindowMs: 200 })
    await chunk(30, done(1), 1)
    expect(chunks.waitMs(1)).toBe(170)
    await chunk(150, done(1), 2)
    expect(chunks.waitMs(1)).toBe(300)
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
