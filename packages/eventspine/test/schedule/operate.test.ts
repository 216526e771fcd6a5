// What a person sees of schedules and reconcilers, and one run by hand.
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { reconciler, schedule } from 'eventspine/workflow'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { Stage } from '../workflow/stage.js'

const hour = 3_600_000
const reportDue = defineEvent({ type: 'reports.due', schema: z.object({ at: z.string() }) })
const hourly = schedule({
  ...{ name: 'hourly-report', cron: '0 * * * *', event: reportDue, description: 'for the books' },
  data: ({ at }) => ({ at: at.toISOString() }),
})
const repairs = reconciler({ name: 'orders', cron: '*/5 * * * *', tenant: 'acme', find: async () => [] })

/** The clock of a stage begins at midnight. */
async function scene() {
  const stage = new Stage(1)
  const reports: string[] = []
  const write = defineSubscription({
    ...{ name: 'write', on: reportDue },
    handle: ({ data }) => void reports.push(data.at),
  })
  const app = defineApp({
    name: 'books',
    schedules: [hourly],
    reconcilers: [repairs],
    subscriptions: [write],
  })
  const worker = stage.spine(app)
  await stage.until(worker.start())
  const looker = stage.spine(app, stage.store, { work: false })
  await stage.until(looker.start())
  return { stage, worker, looker, reports }
}

test('a list says what comes round, when next, and where nobody follows it', async () => {
  const { stage, worker, looker } = await scene()
  await stage.clock.advance(90 * 60_000)
  const [first, second] = await stage.until(looker.schedules.list())
  expect(first).toMatchObject({
    ...{ name: 'hourly-report', kind: 'schedule', cron: '0 * * * *', timeZone: 'UTC', tenant: 'default' },
    ...{ event: 'reports.due', description: 'for the books', lateMs: 0 },
    nextAtMs: Date.UTC(2026, 0, 1, 2),
    subscription: 'schedule-hourly-report',
    last: { atMs: Date.UTC(2026, 0, 1, 1), by: null, state: 'completed' },
  })
  expect(second).toMatchObject({
    ...{ name: 'reconcile-orders', kind: 'reconciler', tenant: 'acme', event: null },
    ...{ subscription: 'reconcile-orders', last: { state: 'completed' } },
  })
  expect(await stage.until(looker.schedules.list({ tenant: 'acme' }))).toHaveLength(1)
  await stage.until(worker.stop())
  await stage.clock.advance(2 * hour)
  const [late] = await stage.until(looker.schedules.list({ tenant: 'default' }))
  expect(late?.lateMs).toBeGreaterThan(hour)
})

test('one that is run by hand publishes once, beside its ticks, and says who had it run', async () => {
  const { stage, looker, reports } = await scene()
  await stage.clock.advance(10 * 60_000)
  const { id } = await stage.until(looker.schedules.run('hourly-report', 'ada'))
  await stage.clock.advance(60_000)
  expect(reports).toHaveLength(1)
  expect(reports[0]).toMatch(/^2026-01-01T00:10:/)
  const [run] = await stage.until(looker.schedules.list())
  expect(run?.last).toMatchObject({ event: id, by: 'ada', state: 'completed' })
  const event = await stage.until(looker.operator().event(id))
  expect(event).toMatchObject({ event: { data: { by: 'ada', missed: false } } })
  await stage.clock.advance(hour)
  expect(reports.slice(1)).toEqual(['2026-01-01T01:00:00.000Z'])
  await expect(stage.until(looker.schedules.run('weekly', 'ada'))).rejects.toThrow(
    /no schedule or reconciler "weekly".*Known: hourly-report, reconcile-orders/,
  )
})
