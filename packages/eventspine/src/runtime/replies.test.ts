// Who waits for replies: in virtual time, over a log that is written by hand.
import { expect, it } from 'vitest'
import type { StoredEvent } from '../event/index.js'
import { VirtualClock } from '../kernel/virtual-clock.js'
import { Replies, type ReplyQuestion, type ReplyWait } from './replies.js'

type Asked = readonly [ids: readonly string[], types: readonly string[] | undefined]

function scene() {
  const clock = new VirtualClock()
  const log: StoredEvent[] = []
  const asked: Asked[] = []
  const failures: unknown[] = []
  let away = false
  const port = {
    async firsts(ids: readonly string[], types?: readonly string[]) {
      asked.push([ids, types])
      if (away) throw new Error('away')
      return log.filter(({ correlationId, type }) => ids.includes(correlationId) && types?.includes(type))
    },
  }
  const replies = new Replies(port, clock, (error) => failures.push(error))
  const append = (correlationId: string, type: string, tenant = 'default') =>
    void log.push({ correlationId, type, tenant } as StoredEvent)
  const wait = (question: Partial<ReplyQuestion>, how: Partial<ReplyWait> = {}) => {
    const waiting: { heard?: string | null } = {}
    const whole = { correlationId: 'c', tenant: 'default', types: ['done'], ...question }
    void replies
      .of(whole, { ms: 60_000, ...how })
      .then((reply) => Object.assign(waiting, { heard: reply?.type ?? null }))
    return waiting
  }
  return {
    ...{ clock, asked, failures, replies, append, wait },
    setAway: (is: boolean) => {
      away = is
    },
  }
}

it('answers what is there without waiting, and null where none may be waited for', async () => {
  const { clock, append, wait } = scene()
  append('c', 'done')
  const [there, none, left] = [
    wait({}),
    wait({ correlationId: 'other' }, { ms: 0 }),
    wait({ tenant: 'acme' }, { signal: AbortSignal.abort() }),
  ]
  await clock.settle()
  expect([there.heard, none.heard, left.heard]).toEqual(['done', null, null])
  expect(clock.timers).toBe(0)
})

it('tells each its own: of its correlation, tenant and types', async () => {
  const { clock, append, wait, replies } = scene()
  const all = [wait({}), wait({ tenant: 'acme' }), wait({ correlationId: 'd' }), wait({ types: ['refused'] })]
  await clock.advance(1_000)
  append('c', 'done')
  replies.hinted()
  await clock.advance(20)
  expect(all.map(({ heard }) => heard)).toEqual(['done', undefined, undefined, undefined])
  append('c', 'done', 'acme')
  append('d', 'done')
  append('c', 'refused')
  replies.hinted()
  await clock.advance(20)
  expect(all.map(({ heard }) => heard)).toEqual(['done', 'done', 'done', 'refused'])
  expect(await clock.runUntilIdle(10_000)).toBe(true)
})

it('asks once for all that wait, and hardly for one that waits long', async () => {
  const { clock, asked, wait } = scene()
  const all = Array.from({ length: 500 }, (_, at) => wait({ correlationId: `c${at}` }, { begins: true }))
  await clock.settle()
  expect(asked.map(([ids]) => ids.length)).toEqual([500])
  await clock.advance(60_000)
  expect(asked.length).toBeLessThan(80)
  expect(all.every(({ heard }) => heard === null)).toBe(true)
})

it('asks at most fifty times a second, however much is appended', async () => {
  const { clock, asked, wait, replies } = scene()
  wait({}, { begins: true })
  for (let ms = 0; ms < 1_000; ms++) {
    replies.hinted()
    await clock.advance(1)
  }
  expect(asked.length).toBeGreaterThan(20)
  expect(asked.length).toBeLessThanOrEqual(51)
})

it('finds what others appended without telling, within a second', async () => {
  const { clock, append, wait } = scene()
  const waiting = wait({})
  await clock.advance(30_000)
  append('c', 'done')
  await clock.advance(1_050)
  expect(waiting.heard).toBe('done')
})

it('waits on while the log cannot be asked, and says so', async () => {
  const { clock, append, wait, failures, setAway } = scene()
  setAway(true)
  const waiting = wait({}, { begins: true })
  await clock.advance(3_000)
  expect(failures.length).toBeGreaterThan(0)
  setAway(false)
  append('c', 'done')
  await clock.advance(3_000)
  expect(waiting.heard).toBe('done')
})

it('lets go of who hangs up, of all when it stops, and leaves no timer behind', async () => {
  const { clock, wait, replies } = scene()
  const caller = new AbortController()
  const leaving = wait({}, { signal: caller.signal })
  const staying = wait({ correlationId: 'd' })
  await clock.advance(100)
  caller.abort()
  await clock.settle()
  expect([leaving.heard, staying.heard]).toEqual([null, undefined])
  replies.stop()
  await clock.settle()
  expect([staying.heard, wait({}, { begins: true }).heard]).toEqual([null, undefined])
  expect(await clock.runUntilIdle(2_000)).toBe(true)
})

it('answers at once where a thousand wait already', async () => {
  const { clock, wait } = scene()
  const all = Array.from({ length: 1_001 }, (_, at) => wait({ correlationId: `c${at}` }, { begins: true }))
  await clock.settle()
  expect(all.filter(({ heard }) => heard === null)).toHaveLength(1)
})
