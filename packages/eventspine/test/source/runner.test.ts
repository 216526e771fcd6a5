// A source that a worker runs, in virtual time: how it is started again, told to end, and moved to another process.
import type { EventspineError } from 'eventspine'
import type { SourceRun } from 'eventspine/source'
import { expect, it } from 'vitest'
import type { Eventspine } from '../../src/runtime/eventspine.js'
import type { MemoryStore } from '../../src/store/memory/index.js'
import { message, untilAborted, World } from './world.js'

const outcomeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'taken',
    (error: EventspineError) => error.code,
  )
const sample = async (spine: Eventspine, name: string) =>
  (await spine.metrics()).find((each) => each.name === name)?.value

it('is started again with growing pauses when it throws or returns, and is seen to fail until it is well', async () => {
  const world = new World()
  const starts: number[] = []
  let well = false
  const spine = world.worker(async (run) => {
    starts.push(world.clock.monotonic())
    if (well) return untilAborted(run)
    if (starts.length > 1) throw new Error('no route to the queue')
  })
  await world.ended(spine.start())
  await world.until(() => starts.length === 10, 600_000)
  const pauses = starts.slice(1).map((at, index) => at - (starts[index] ?? 0))
  pauses.forEach((ms, index) => {
    const mean = Math.min(15_000, 1_000 * 2 ** index)
    expect(ms).toBeGreaterThanOrEqual(mean * 0.75)
    expect(ms).toBeLessThanOrEqual(mean * 1.25)
  })
  expect(world.logged.map(({ failures, error }) => [failures, error?.message]).slice(0, 2)).toEqual([
    [1, 'run() returned before its signal was aborted'],
    [2, 'no route to the queue'],
  ])
  const failing = async () =>
    (await spine.operator().doctor()).findings.find(({ subject }) => subject === 'source queue')
  expect(await failing()).toMatchObject({
    severity: 'error',
    message: expect.stringMatching(/no route to the queue/),
  })
  expect(await sample(spine, 'eventspine_source_ended_total')).toBe(10)
  well = true
  await world.until(async () => (await failing()) === undefined, 600_000)
  expect(await sample(spine, 'eventspine_source_running')).toBe(1)
  await world.ended(spine.stop())
  expect(await sample(spine, 'eventspine_source_running')).toBe(0)
  expect(await world.store.sourceLeases()).toEqual([])
})

it('waits for room, takes no more at once than it may, and refuses what nobody awaits', async () => {
  const world = new World()
  const held: (() => void)[] = []
  let run: SourceRun | undefined
  const spine = world.worker(
    (given) => {
      run = given
      return untilAborted(given)
    },
    { hold: () => new Promise<void>((resolve) => void held.push(resolve)) },
  )
  await world.ended(spine.start())
  await world.until(() => run !== undefined)
  const outcomes = Array.from({ length: 10_003 }, (_, n) => outcomeOf((run as SourceRun).receive(message(n))))
  await world.until(() => held.length === 2)
  expect(await outcomes[10_002]).toBe('OVERLOADED')
  expect(await sample(spine, 'eventspine_source_messages_in_hand')).toBe(2)
  held.shift()?.()
  await world.until(() => held.length === 2)
  expect(await outcomes[0]).toBe('taken')
  // Told to end: what it took is stored first, also what still waits, as far as that goes in 5 s.
  const stopping = spine.stop()
  held.shift()?.()
  await world.clock.settle()
  const began = world.clock.monotonic()
  await world.ended(stopping, 60_000)
  expect(world.clock.monotonic() - began).toBeGreaterThanOrEqual(5_000)
  expect(await outcomes[1]).toBe('taken')
  expect(await outcomes[9_999]).toBe('STOPPED')
  expect(await outcomeOf((run as SourceRun).receive(message(0)))).toBe('STOPPED')
})

it('does not hold up the end of its process when it does not end', async () => {
  const world = new World()
  const spine = world.worker(() => new Promise(() => {}))
  await world.ended(spine.start())
  const began = world.clock.monotonic()
  await world.ended(spine.stop())
  expect(world.clock.monotonic() - began).toBeLessThan(10_000)
})

it('is run by one process at a time, and by another when that one stops or hears nothing of the store', async () => {
  const world = new World()
  const running = new Set<string>()
  const ever: string[] = []
  const runOf = (name: string) => async (run: SourceRun) => {
    running.add(name)
    ever.push(name)
    expect(running.size).toBe(1)
    await untilAborted(run)
    // It has things to put away.
    await world.clock.sleep(4_000)
    running.delete(name)
  }
  let silent = false
  const leaseSource: MemoryStore['leaseSource'] = (...lease) =>
    silent ? new Promise(() => {}) : world.store.leaseSource(...lease)
  const where = 'one-worker'
  const first = world.worker(runOf('first'), { where, change: { leaseSource } })
  const [second, third] = [world.worker(runOf('second'), { where }), world.worker(runOf('third'), { where })]
  await world.ended(first.start())
  await world.until(() => running.has('first'))
  await world.ended(second.start())
  await world.clock.advance(60_000)
  expect([...running]).toEqual(['first'])
  silent = true
  await world.until(() => running.has('second'))
  await world.ended(third.start())
  silent = false
  await world.clock.advance(60_000)
  expect([...running]).toEqual(['second'])
  await world.ended(second.stop())
  await world.until(() => running.size === 1)
  expect(ever).toEqual(['first', 'second', expect.stringMatching(/first|third/)])
  // Each was told to end, and none failed.
  expect(world.logged.filter(({ failures }) => failures !== undefined)).toEqual([])
  await world.ended(Promise.all([first.stop(), third.stop()]))
})

it('is not run by a process that only publishes, or is told not to', async () => {
  const world = new World()
  let ran = false
  const spine = world.worker(
    async () => {
      ran = true
    },
    { sources: false },
  )
  await world.ended(spine.start())
  await world.clock.advance(60_000)
  expect(ran).toBe(false)
  const { findings } = await spine.operator().doctor()
  expect(findings).toContainEqual(expect.objectContaining({ subject: 'source queue', severity: 'warning' }))
  await world.ended(spine.stop())
})

it('may pause for many messages at once, and nobody is warned', async () => {
  const world = new World()
  const warnings: Error[] = []
  const hear = (warning: Error) => void warnings.push(warning)
  process.on('warning', hear)
  let paused = false
  const spine = world.worker(async (given) => {
    const pauses = Array.from({ length: 100 }, () => given.pause(1_000))
    paused = true
    await Promise.all(pauses)
    await untilAborted(given)
  })
  await world.ended(spine.start())
  await world.until(() => paused)
  await world.ended(spine.stop())
  // They are told in a later turn.
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', hear)
  expect(warnings).toEqual([])
})

it('has a number in each of several processes, which whoever comes next has again', async () => {
  const world = new World()
  const slots: number[] = []
  const run = (given: SourceRun) => {
    slots.push(given.slot)
    return untilAborted(given)
  }
  const [first, second, third] = [world.worker(run), world.worker(run), world.worker(run)]
  for (const [index, each] of [first, second].entries()) {
    await world.ended(each.start())
    await world.until(() => slots.length === index + 1)
  }
  await world.ended(first.stop())
  await world.ended(third.start())
  await world.until(() => slots.length === 3)
  expect(slots).toEqual([1, 2, 1])
  await world.clock.advance(60_000)
  expect((await world.store.sourceLeases()).map(({ slot, live }) => [slot, live])).toEqual([
    ['1', true],
    ['2', true],
  ])
  await world.ended(Promise.all([second.stop(), third.stop()]))
})
