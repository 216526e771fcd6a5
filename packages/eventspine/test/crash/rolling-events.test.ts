// An event goes from version 1 to version 2 while workers of both are live, and both publish. What an old worker cannot read
// waits for one that can: no dead letter, none lost, and no attempt of a handler is spent on it.
import { defineApp, defineEvent, defineSubscription, retries } from 'eventspine'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { Stage } from '../workflow/stage.js'

const type = 'orders.placed'
const first = defineEvent({ type, schema: z.object({ n: z.int(), cents: z.int() }) })
const second = defineEvent({
  ...{ type, version: 2, schema: z.object({ n: z.int(), amount: z.number() }) },
  upcast: { 1: ({ n, cents }: { n: number; cents: number }) => ({ n, amount: cents / 100 }) },
})

interface Seen {
  readonly by: string
  readonly n: number
  readonly data: unknown
}

function version(by: string, event: typeof first | typeof second, seen: Record<string, Seen[]>) {
  const note = (name: string, data: unknown) => {
    const { n } = data as { readonly n: number }
    seen[name] ??= []
    seen[name].push({ by, n, data })
  }
  return defineApp({
    name: 'shop',
    events: [event],
    subscriptions: [
      defineSubscription({ name: 'ledger', on: event, handle: ({ data }) => note('ledger', data) }),
      // Both have it as it is, so that the old worker keeps its lease and meets what it does not know.
      defineSubscription({
        ...{ name: 'audit', on: 'orders.*', retry: retries.none() },
        handle: ({ data }) => note('audit', data),
      }),
    ],
  })
}

test('what is newer than every worker is named by the doctor until one comes that reads it', async () => {
  const stage = new Stage(22)
  const seen: Record<string, Seen[]> = {}
  const old = stage.spine(version('old', first, seen))
  await stage.until(old.start())
  const publisher = stage.spine(defineApp({ name: 'till', events: [second] }))
  await stage.until(publisher.start())
  const publishedAtMs = stage.clock.now()
  for (const n of [1, 2, 3]) await stage.until(publisher.publish(second, { n, amount: n }))
  await stage.clock.advance(90_000)
  const findings = async () =>
    (await stage.until(old.operator().doctor())).findings.filter(({ message }) => /cannot read/.test(message))
  const since = new Date(publishedAtMs).toISOString().slice(0, 18)
  const named = (subscription: string) => ({
    ...{ severity: 'error', subject: `subscription ${subscription}` },
    message: expect.stringContaining(
      `3 events wait that its workers cannot read: "${type}" version 2, of which they know version 1 at most. The oldest has waited since ${since}`,
    ),
  })
  expect(await findings()).toMatchObject([named('audit'), named('ledger')])
  const young = stage.spine(version('young', second, seen))
  await stage.until(young.start())
  await stage.until(old.stop())
  expect(
    (await stage.until(young.operator().doctor())).findings.map(({ message }) => message).join(),
  ).not.toMatch(/cannot read/)
  await stage.clock.advance(180_000)
  expect(seen.ledger?.map(({ by, n }) => [by, n]).sort()).toEqual([1, 2, 3].map((n) => ['young', n]))
  await stage.until(Promise.all([young.stop(), publisher.stop()]))
})

test('an event of two versions is rolled out with both workers live, and nothing is dead', async () => {
  const stage = new Stage(21)
  const seen: Record<string, Seen[]> = {}
  const old = stage.spine(version('old', first, seen))
  await stage.until(old.start())
  await stage.until(old.publish(first, { n: 0, cents: 0 }))
  await stage.clock.advance(2_000)
  const young = stage.spine(version('young', second, seen))
  await stage.until(young.start())
  for (let n = 1; n <= 50; n++) {
    await stage.until(old.publish(first, { n, cents: n * 100 }))
    await stage.until(young.publish(second, { n: n + 50, amount: n + 50 }))
    await stage.clock.advance(200)
  }
  await stage.clock.advance(60_000)
  const waiting = async () => {
    const views = await stage.until(young.operator().subscriptions())
    return views.find(({ name }) => name === 'audit')?.retrying
  }
  // The young one may have got the lease of the pattern; where the old one has it, the newer half waits.
  const heldByOld = seen.audit?.every(({ by }) => by === 'old')
  expect(await waiting()).toBe(heldByOld ? 50 : 0)
  await stage.until(old.stop())
  await stage.clock.advance(180_000)
  expect(await waiting()).toBe(0)
  const all = Array.from({ length: 101 }, (_, n) => n)
  // At least once: what the old worker had in hand when its subscription went to the young one may run again.
  const numbers = (name: string) => [...new Set(seen[name]?.map(({ n }) => n))].sort((a, b) => a - b)
  expect(numbers('ledger')).toEqual(all)
  expect(numbers('audit')).toEqual(all)
  const byYoung = Object.values(seen).flatMap((each) => each.filter(({ by }) => by === 'young'))
  expect(byYoung.every(({ n, data }) => (data as { amount?: number }).amount === n)).toBe(true)
  expect((await stage.until(young.operator().deadLetters())).items).toEqual([])
  await stage.until(young.stop())
})
