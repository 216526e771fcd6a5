// The map, where another app shares the log: its functions are drawn as well, what it writes hides nothing, and all of it is in sight
// or within reach, at any size of the window. In a real browser before a real server.
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { workflow } from 'eventspine/workflow'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { adminBefore } from './before.js'
import { hasChromium, narrow } from './browser.js'
import { until, World } from './world.js'

const schema = z.object({ bed: z.number() })
const reading = defineEvent({ type: 'ward.reading', schema })
const alarm = defineEvent({ type: 'ward.alarm', schema })
const many = Array.from({ length: 24 }, (_, at) => defineEvent({ type: `ward.sensor-${at}`, schema }))
const ward = defineApp({
  name: 'ward',
  events: [reading, alarm],
  subscriptions: [
    defineSubscription({ name: 'qualify', on: reading, handle: () => {} }),
    ...many.map((on, at) => defineSubscription({ name: `chart-${at}`, on, handle: () => {} })),
  ],
  workflows: [
    workflow({
      name: 'visit',
      on: { event: alarm, id: ({ data }) => `${data.bed}` },
      run: async () => undefined,
    }),
  ],
})

interface Box {
  readonly getBoundingClientRect: () => {
    readonly top: number
    readonly bottom: number
    readonly height: number
  }
  readonly scrollWidth: number
  readonly clientWidth: number
  readonly scrollHeight: number
  readonly clientHeight: number
}

describe.skipIf(!hasChromium)('the map of a shared log (needs chromium)', () => {
  const world = new World()
  const { visit } = adminBefore(world, {
    prepare: async () => {
      const neighbour = await world.neighbour(ward)
      await world.publish([world.order('o-1')])
      await until(async () => (await world.get('/v1/events?type=orders.order-shipped')).items.length === 1)
      for (let batch = 0; batch < 3; batch++)
        await neighbour.publishMany(Array.from({ length: 400 }, () => ({ event: reading, data: { bed: 1 } })))
    },
  })
  const map = () => visit.page.getByRole('region', { name: 'Map of the system' })
  const way = (from: string, to: string) =>
    visit.page
      .getByRole('region', { name: 'Ways of events' })
      .getByRole('row')
      .filter({ hasText: from })
      .filter({ hasText: to })

  test('shows the functions of all apps, and whose each is', async () => {
    await visit.at(world.url, 'map?app=*')
    await map().getByRole('link', { name: 'qualify subscription of ward' }).waitFor()
    await map().getByRole('link', { name: 'visit workflow of ward' }).waitFor()
    await map().getByRole('link', { name: 'ship subscription of shop' }).waitFor()
    await map().getByRole('link', { name: 'ward.reading event', exact: true }).click()
    expect(visit.page.url()).toContain('type=ward.reading')
  })

  test('is at first that of the app whose server answers, and that of another at a word', async () => {
    const { page } = visit
    await visit.at(world.url, 'map')
    await map().getByRole('link', { name: 'ship subscription', exact: true }).waitFor()
    expect(await map().getByRole('link', { name: 'qualify' }).count()).toBe(0)
    await page.getByRole('link', { name: 'ward', exact: true }).click()
    await map().getByRole('link', { name: 'qualify subscription', exact: true }).waitFor()
    expect(await map().getByRole('link', { name: 'ship' }).count()).toBe(0)
    await page.getByRole('link', { name: 'Full size' }).click()
    await map().getByRole('link', { name: 'qualify subscription', exact: true }).waitFor()
    await page.getByRole('link', { name: 'all apps' }).click()
    await map().getByRole('link', { name: 'qualify subscription of ward' }).waitFor()
    expect(await page.getByRole('link', { name: 'all apps' }).getAttribute('aria-current')).toBe('true')
  })

  test('calls a way of this app seen, however much the other has written since', async () => {
    await visit.at(world.url, 'map?app=*')
    await way('event:orders.order-placed', 'subscription:ship').getByText('declared and seen').waitFor()
    await way('event:ward.alarm', 'workflow:visit').getByText('not seen').waitFor()
    await visit.page.getByText(/Looked at: the newest 1,000 events, .* rare among them/).waitFor()
  })

  test('leads from a way to its ends, and from who publishes to what they did', async () => {
    const { page } = visit
    await visit.at(world.url, 'map?app=*')
    const row = way('event:orders.order-placed', 'subscription:ship')
    await row.getByRole('link', { name: 'subscription:ship' }).click()
    await page.waitForURL(/subscriptions\?name=ship/)
    await visit.at(world.url, 'map?app=*')
    await way('source:/shop', 'event:orders.order-placed').getByRole('link', { name: 'source:/shop' }).click()
    await page.waitForURL(/events\?pattern=/)
    expect(new URL(page.url()).searchParams.get('pattern')).toBe('{"source":["/shop"]}')
    await page.getByRole('row').filter({ hasText: 'orders.order-placed' }).first().waitFor()
  })

  test('is drawn larger and smaller at a word, and says so in its address', async () => {
    const { page } = visit
    await visit.at(world.url, 'map?app=*')
    const name = map().locator('.map-part text').first()
    const height = () => name.evaluate((element: Box) => element.getBoundingClientRect().height)
    await name.waitFor()
    const before = await height()
    await page.getByRole('button', { name: 'Larger' }).click()
    await until(async () => (await height()) > before * 1.1)
    const larger = await height()
    expect(new URL(page.url()).searchParams.get('size')).toMatch(/^[\d.]+$/)
    await page.getByRole('button', { name: 'Smaller' }).click()
    await page.getByRole('button', { name: 'Smaller' }).click()
    await until(async () => (await height()) < larger / 1.2)
    await page.getByRole('link', { name: 'Fit to the page' }).click()
    await until(async () => Math.abs((await height()) - before) < 1)
  })

  test('shows on the way to a function its own rate and how far it is behind, and marks it where that is much', async () => {
    await visit.page.route('**/v1/map*', async (route) => {
      const answer = await route.fetch()
      const json = (await answer.json()) as { edges: { to: string }[] }
      const edges = json.edges.map((edge) =>
        edge.to === 'subscription:qualify' ? { ...edge, takenPerSecond: 1_018, lagSeconds: 61 } : edge,
      )
      await route.fulfill({ response: answer, json: { ...json, edges } })
    })
    await visit.at(world.url, 'map?app=*')
    const late = map().locator('.map-late')
    await late.getByText('1,020/s · lag 1 min').waitFor()
    expect(await late.count()).toBe(1)
    await way('event:ward.reading', 'subscription:qualify').getByText('1,020/s').waitFor()
    // What a client publishes is told from the events that were looked at.
    await way('source:/', 'event:orders.order-placed').getByText(/^~/).waitFor()
    await visit.page.unroute('**/v1/map*')
  })

  test('shows on a part that it is paused, or that a breaker of it is open', async () => {
    const operator = world.spine.operator()
    await operator.pause('ship', 'ada')
    await operator.setBreaker({ name: 'payments' }, 'open', 'ada')
    await visit.at(world.url, 'map?app=*')
    await map().getByRole('link', { name: 'ship subscription of shop · paused' }).waitFor()
    await map().getByRole('link', { name: 'bill subscription of shop · breaker payments is open' }).waitFor()
    expect(await map().locator('.map-held').count()).toBe(2)
    await operator.resume('ship', 'ada')
    await operator.setBreaker({ name: 'payments' }, 'closed', 'ada')
  })

  // The last has room for all of it, drawn smaller.
  const windows = [{ width: 1_440, height: 900 }, narrow, { width: 1_440, height: 1_600 }]
  for (const size of windows)
    test(`is in the window as a whole or within reach at ${size.width} × ${size.height}`, async () => {
      await visit.page.setViewportSize(size)
      await visit.at(world.url, 'map?app=*')
      const box = await map().evaluate((element: Box) => {
        const { top, bottom } = element.getBoundingClientRect()
        const { scrollWidth, clientWidth, scrollHeight, clientHeight } = element
        return { top, bottom, beyond: [scrollWidth - clientWidth, scrollHeight - clientHeight] }
      })
      expect(box.top).toBeGreaterThan(0)
      expect(box.bottom).toBeLessThanOrEqual(size.height)
      if (size.height > 1_000) expect(box.beyond).toEqual([0, 0])
      // Names are written as large as can be read.
      const name = map().locator('.map-part text').first()
      const { height } = await name.evaluate((element: Box) => ({
        height: element.getBoundingClientRect().height,
      }))
      expect(height).toBeGreaterThan(8)
      // What has no room is moved into sight.
      const last = map().getByRole('link', { name: 'visit workflow of ward' })
      await last.scrollIntoViewIfNeeded()
      const { top, bottom } = await last.evaluate((element: Box) => {
        const { top, bottom } = element.getBoundingClientRect()
        return { top, bottom }
      })
      expect(top).toBeGreaterThanOrEqual(0)
      expect(bottom).toBeLessThanOrEqual(size.height)
      if (process.env.EVENTSPINE_SCREENSHOTS !== undefined)
        await visit.page.screenshot({
          path: `${process.env.EVENTSPINE_SCREENSHOTS}/map-shared-${size.width}.png`,
        })
    })
})
