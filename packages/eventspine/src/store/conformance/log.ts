// The log on any store: ticks in one order, every committed event in exactly one of them.
import { describe, expect, it } from 'vitest'
import type { StoredEvent } from '../../event/stored.js'
import { seededRandom } from '../../kernel/index.js'
import { idsOf, type OpenScene, type OpenTransaction, type Scene } from './scene.js'

export function describeLog(open: OpenScene): void {
  describe('log', () => {
    describeTicks(open)
    describeReading(open)
    describePaging(open)
    describeLateCommits(open)
    describeRandomWriters(open)
  })
}

function describeTicks(open: OpenScene): void {
  it('makes a tick when something new is visible, and none otherwise', async () => {
    const scene = await open()
    const before = await scene.store.lastTick()
    expect(await scene.store.tick(before.number, 10)).toEqual({ ticks: [], again: false })
    await scene.store.append(scene.events(2))
    const { ticks } = await scene.store.tick(before.number, 10)
    expect(ticks.map(({ number }) => number)).toEqual([before.number + 1])
    expect(await scene.store.lastTick()).toEqual(ticks[0])
    expect((await scene.store.tick(before.number + 1, 10)).ticks).toEqual([])
    expect(await scene.store.lastTick()).toEqual(ticks[0])
  })

  it('numbers ticks without gaps, each beginning where the one before ended', async () => {
    const scene = await open()
    const first = await scene.store.lastTick()
    for (let round = 0; round < 5; round++) {
      await scene.store.append([scene.event()])
      await scene.lastTick()
    }
    const ticks = await scene.store.ticksAfter(first.number, 100)
    expect(ticks.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5].map((step) => first.number + step))
    ticks.forEach((tick, index) => {
      const before = ticks[index - 1] ?? first
      expect(tick.after).toBe(before.snapshot)
      expect(tick.seqEstimate).toBeGreaterThanOrEqual(before.seqEstimate)
      expect(tick.madeAtMs).toBeGreaterThanOrEqual(before.madeAtMs)
    })
    expect(await scene.store.ticksAfter(ticks[1]?.number ?? 0, 2)).toEqual(ticks.slice(2, 4))
    expect((await scene.store.tick(first.number, 3)).ticks).toEqual(ticks.slice(0, 3))
  })

  it('lets any number of workers make ticks at once', async () => {
    const scene = await open()
    const known = (await scene.store.lastTick()).number
    const events = scene.events(30)
    await Promise.all(
      events.map(async (event) => {
        await scene.store.append([event])
        await Promise.all([scene.store.tick(known, 100), scene.store.tick(known, 100)])
      }),
    )
    const log = await scene.log()
    expect(idsOf(log).sort()).toEqual(idsOf(events).sort())
    const ticks = await scene.store.ticksAfter(known, 1_000)
    expect(ticks.map(({ number }) => number)).toEqual(ticks.map((_, index) => known + 1 + index))
  })
}

function describePaging(open: OpenScene): void {
  it('pages inside one tick', async () => {
    const scene = await open()
    await scene.store.append(scene.events(4))
    await scene.store.append(scene.events(3))
    const tick = await scene.lastTick()
    const all = await scene.store.read([tick], 0, 100)
    expect(all.map((event) => event.tick)).toEqual(Array(7).fill(tick.number))
    const paged: StoredEvent[] = []
    for (let page = await scene.store.read([tick], 0, 3); page.length > 0 && paged.length < 20; ) {
      expect(page.length).toBeLessThanOrEqual(3)
      paged.push(...page)
      page = await scene.store.read([tick], page.at(-1)?.seq ?? 0, 3)
    }
    expect(paged).toEqual(all)
  })

  it('pages over the gaps of one tick', async () => {
    const scene = await open()
    const late = await scene.transaction()
    const scattered = scene.events(4)
    await scene.store.appendWithin(late.executor, scattered.slice(0, 2))
    await scene.store.append(scene.events(50))
    await scene.store.appendWithin(late.executor, scattered.slice(2))
    await scene.store.append(scene.events(50))
    await scene.lastTick()
    await late.commit()
    const tick = await scene.lastTick()
    const paged: string[] = []
    for (let seq = 0; ; ) {
      const [event] = await scene.store.read([tick], seq, 1)
      if (event === undefined) break
      paged.push(event.id)
      seq = event.seq
    }
    expect(paged).toEqual(idsOf(scattered))
  })
}

function describeReading(open: OpenScene): void {
  it('answers with the events of the tick that it makes, when they are few', async () => {
    const scene = await open()
    const late = await scene.transaction()
    await scene.store.appendWithin(late.executor, scene.events(2))
    await scene.store.append(scene.events(3))
    let { number } = await scene.lastTick()
    const made = async (eventsMax?: number) => {
      const { ticks, events } = await scene.store.tick(number, 10, eventsMax)
      expect(ticks.map((tick) => tick.number)).toEqual([++number])
      const read = await scene.store.read(ticks, 0, 100)
      if (events !== undefined) expect(events).toEqual(read)
      return { read: read.length, answered: events?.length }
    }
    await scene.store.append(scene.events(3))
    expect(await made(3)).toEqual({ read: 3, answered: 3 })
    await scene.store.append(scene.events(4))
    expect(await made(3)).toEqual({ read: 4, answered: undefined })
    await scene.store.append(scene.events(1))
    expect(await made()).toEqual({ read: 1, answered: undefined })
    // What commits late has numbers from before the last tick: how many they are cannot be told from the numbers.
    await late.commit()
    await scene.store.append(scene.events(1))
    expect(await made(2)).toEqual({ read: 3, answered: undefined })
    const later = await scene.transaction()
    await scene.store.appendWithin(later.executor, scene.events(2))
    await scene.store.append(scene.events(1))
    expect(await made(3)).toEqual({ read: 1, answered: 1 })
    await later.commit()
    expect(await made(3)).toEqual({ read: 2, answered: 2 })
    await scene.store.append(scene.events(2))
    const other = await scene.store.tick(number, 10)
    const lost = await scene.store.tick(number, 10, 10)
    expect(lost).toEqual({ ticks: other.ticks, again: expect.any(Boolean) })
  })

  it('reads several ticks in the order of ticks, then of `seq`, from inside the first', async () => {
    const scene = await open()
    const late = await scene.transaction()
    await scene.store.appendWithin(late.executor, scene.events(2))
    const first = (await scene.store.lastTick()).number
    await scene.store.append(scene.events(3))
    await scene.lastTick()
    await scene.store.append(scene.events(2))
    await scene.lastTick()
    await late.commit()
    await scene.lastTick()
    const ticks = await scene.store.ticksAfter(first, 10)
    const oneByOne = (await Promise.all(ticks.map((tick) => scene.store.read([tick], 0, 100)))).flat()
    expect(oneByOne.map(({ tick }) => tick - first)).toEqual([1, 1, 1, 2, 2, 3, 3])
    expect(await scene.store.read(ticks, 0, 100)).toEqual(oneByOne)
    // What committed late has a lower `seq` than the position in the first tick, and still comes in its own.
    expect(await scene.store.read(ticks, oneByOne[1]?.seq ?? 0, 100)).toEqual(oneByOne.slice(2))
    expect(await scene.store.read(ticks.slice(1), 0, 100)).toEqual(oneByOne.slice(3))
    expect(await scene.store.read([], 0, 100)).toEqual([])
  })
}

function describeLateCommits(open: OpenScene): void {
  it('shows what commits late in a later tick, and skips nothing (I8)', async () => {
    const scene = await open()
    const slow = await scene.transaction()
    const early = scene.event()
    const prompt = scene.event()
    await scene.store.appendWithin(slow.executor, [early])
    await scene.store.append([prompt])
    const first = await scene.lastTick()
    expect(idsOf(await scene.store.read([first], 0, 100))).toEqual([prompt.id])
    await scene.store.append([scene.event({ id: 'between' })])
    const second = await scene.lastTick()
    expect(idsOf(await scene.store.read([second], 0, 100))).toEqual(['between'])
    await slow.commit()
    const third = await scene.lastTick()
    const [event] = await scene.store.read([third], 0, 100)
    expect(event?.id).toBe(early.id)
    const [other] = await scene.store.read([first], 0, 100)
    expect(event?.seq).toBeLessThan(other?.seq ?? 0)
    expect(third.number).toBe(first.number + 2)
  })

  it('reads a tick the same whatever commits afterwards (I5, I8)', async () => {
    const scene = await open()
    const slow = await scene.transaction()
    await scene.store.appendWithin(slow.executor, scene.events(2))
    await scene.store.append(scene.events(2))
    const tick = await scene.lastTick()
    const before = await scene.store.read([tick], 0, 100)
    await slow.commit()
    await scene.store.append(scene.events(2))
    await scene.lastTick()
    expect(await scene.store.read([tick], 0, 100)).toEqual(before)
  })

  it('orders a tick by `seq`, whichever transaction came first (I7, I21)', async () => {
    const scene = await open()
    const [one, two] = [await scene.transaction(), await scene.transaction()]
    const events = scene.events(4)
    for (const [index, event] of events.entries()) {
      const transaction = index % 2 === 0 ? one : two
      await scene.store.appendWithin(transaction.executor, [event])
    }
    await two.commit()
    await one.commit()
    const tick = await scene.lastTick()
    expect(idsOf(await scene.store.read([tick], 0, 100))).toEqual(idsOf(events))
  })

  it('does not wait for a transaction that stays open (I9)', async () => {
    const scene = await open()
    const open1 = await scene.transaction()
    await scene.store.appendWithin(open1.executor, [scene.event()])
    for (let round = 0; round < 3; round++) {
      const event = scene.event()
      await scene.store.append([event])
      const tick = await scene.lastTick()
      expect(idsOf(await scene.store.read([tick], 0, 100))).toEqual([event.id])
    }
    await open1.rollback()
  })
}

function describeRandomWriters(open: OpenScene): void {
  it.each([1, 2, 3])(
    'shows each committed event once among writers that overlap (I3, I8; seed %i)',
    async (seed) => {
      const writers = new Writers(await open(), seed)
      for (let step = 0; step < 60; step++) await writers.step()
      await writers.end()
      expect(idsOf(writers.seen)).toHaveLength(new Set(idsOf(writers.seen)).size)
      expect(idsOf(writers.seen).sort()).toEqual([...writers.committed].sort())
      expect(idsOf(await writers.scene.log())).toEqual(idsOf(writers.seen))
    },
  )
}

interface Writer extends OpenTransaction {
  readonly ids: string[]
}

/** Transactions that begin, append, commit and roll back in chance order, and a reader that follows by ticks. */
class Writers {
  readonly scene: Scene
  readonly seen: StoredEvent[] = []
  readonly committed: string[] = []
  readonly #random
  readonly #writers: Writer[] = []
  #read = 0

  constructor(scene: Scene, seed: number) {
    this.scene = scene
    this.#random = seededRandom(seed)
  }

  async step(): Promise<void> {
    const choice = this.#random.next()
    const writer = this.#writers[Math.floor(this.#random.next() * this.#writers.length)]
    if (choice < 0.25) await this.#appendAlone()
    else if (choice < 0.45 && this.#writers.length < 4)
      this.#writers.push({ ...(await this.scene.transaction()), ids: [] })
    else if (choice < 0.65 && writer !== undefined) await this.#appendWithin(writer)
    else if (choice < 0.8 && writer !== undefined) await this.#finish(writer)
    else await this.follow()
  }

  async end(): Promise<void> {
    for (const writer of [...this.#writers]) await this.#finish(writer)
    await this.follow()
  }

  async follow(): Promise<void> {
    await this.scene.lastTick()
    for (const tick of await this.scene.store.ticksAfter(this.#read, 100)) {
      this.seen.push(...(await this.scene.store.read([tick], 0, 1_000)))
      this.#read = tick.number
    }
  }

  async #appendAlone(): Promise<void> {
    const events = this.scene.events(1 + Math.floor(this.#random.next() * 3))
    await this.scene.store.append(events)
    this.committed.push(...idsOf(events))
  }

  async #appendWithin(writer: Writer): Promise<void> {
    const events = this.scene.events(1 + Math.floor(this.#random.next() * 2))
    await this.scene.store.appendWithin(writer.executor, events)
    writer.ids.push(...idsOf(events))
  }

  async #finish(writer: Writer): Promise<void> {
    this.#writers.splice(this.#writers.indexOf(writer), 1)
    if (this.#random.next() < 0.3) return await writer.rollback()
    await writer.commit()
    this.committed.push(...writer.ids)
  }
}
