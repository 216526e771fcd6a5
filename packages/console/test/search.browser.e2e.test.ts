// A search by payload goes on by itself through the log until it finds something, says how far it came, and stops at a word. In a
// real browser before a real server.
import { describe, expect, test } from 'vitest'
import { adminBefore } from './before.js'
import { hasChromium } from './browser.js'
import { until, World } from './world.js'

describe.skipIf(!hasChromium)('a search by payload (needs chromium)', () => {
  const world = new World()
  const { visit } = adminBefore(world, {
    prepare: async () => {
      await world.publish([world.order('rare')])
      // More than three portions of 2,000 lie before it.
      await world.publish(
        Array.from({ length: 6_500 }, (_, at) => ({ type: 'shop.night-began', data: { at } })),
      )
      await until(async () => (await world.get('/v1/events?key=rare')).items.length > 0)
    },
  })
  const searchFor = async (order: string) => {
    await visit.at(world.url, 'events')
    await visit.page
      .getByLabel('Pattern')
      .fill(JSON.stringify({ type: ['orders.order-placed'], data: { order: [order] } }))
    await visit.page.getByRole('button', { name: 'Search' }).click()
  }
  const looked = () => visit.page.getByText(/[\d,]+ events looked at/)
  const asked: string[] = []

  test('goes on by itself until it finds something', async () => {
    visit.page.on('request', (request) => asked.push(request.url()))
    await searchFor('rare')
    await visit.page.getByRole('cell', { name: 'rare', exact: true }).waitFor()
    expect(asked.filter((url) => url.includes('cursor=')).length).toBeGreaterThan(1)
    await looked().waitFor()
    expect(await visit.page.getByRole('button', { name: 'Stop' }).count()).toBe(0)
  })

  test('stops at a word, and looks further at another', async () => {
    // Each portion takes a while, so that there is time to press.
    await visit.page.route('**/v1/events?*cursor=*', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 500))
      await route.continue()
    })
    await searchFor('nobody')
    await visit.page.getByText('looking further…').waitFor()
    await visit.page.getByRole('button', { name: 'Stop' }).click()
    await visit.page.getByText('more behind them').waitFor()
    const before = asked.length
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    // The portion that was on its way comes, and no other is asked for.
    expect(asked.slice(before).filter((url) => url.includes('cursor='))).toEqual([])
    await visit.page.getByRole('button', { name: 'Look further' }).click()
    await visit.page.getByText('looked at, which is all').waitFor()
    await visit.page.getByText('No event fits').waitFor()
    await visit.page.unroute('**/v1/events?*cursor=*')
  })
})
