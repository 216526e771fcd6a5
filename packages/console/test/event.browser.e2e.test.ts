// One event: which of several of its id is meant, and what is said where its data lie in an object store that does not answer. In a real
// browser before a real server.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { adminBefore } from './before.js'
import { hasChromium } from './browser.js'
import { until, World } from './world.js'

describe.skipIf(!hasChromium)('an event (needs chromium)', () => {
  const world = new World()
  const { visit } = adminBefore(world, {
    prepare: () =>
      world.publish([
        { ...world.order('large', 'DE', { note: 'n'.repeat(200_000) }), id: 'large' },
        { ...world.order('one', 'AT'), id: 'same', tenant: 'acme' },
        { ...world.order('other', 'CH'), id: 'same', tenant: 'globex' },
      ]),
  })

  test('whose id two tenants have is asked for, and its trace leads nowhere else', async () => {
    const { page } = visit
    await visit.at(world.url, 'events?id=same&view=trace')
    await page.getByText('2 tenants have an event of this id').waitFor()
    await page.getByRole('link', { name: 'acme' }).click()
    const trace = page.getByRole('region', { name: 'Trace' })
    await trace.getByRole('link', { name: 'orders.order-placed' }).click()
    const event = page.getByRole('region', { name: 'Event' })
    await event.getByText('"order": "one"').waitFor()
    const correlation = event.getByRole('link', { name: 'same' })
    expect(await correlation.getAttribute('href')).toContain('correlation=same&tenant=acme')
  })

  test('says why its delivery waits, and leads there; a picture of nothing is none', async () => {
    const { page } = visit
    const operator = world.spine.operator()
    await operator.setBreaker({ name: 'payments' }, 'open', 'ada')
    onTestFinished(() => operator.setBreaker({ name: 'payments' }, 'closed', 'ada'))
    // A worker hears of it a moment later: until then handlers run.
    let held = ''
    for (let number = 1; held === '' && number <= 10; number++) {
      const id = `held-${number}`
      await world.publish([{ ...world.order(id), id }])
      const isThrough = async (subscription: string) => {
        const { deliveries } = await world.get(`/v1/events/${id}?tenant=default`)
        const own = deliveries?.find((each) => each.subscription === subscription)
        return own?.state === 'completed'
      }
      await until(() => isThrough('ship'))
      await sleep(1_000)
      if (!(await isThrough('bill'))) held = id
    }
    const place = `events?id=${held}&tenant=default&view=trace`
    await visit.at(world.url, place)
    const trace = page.getByRole('region', { name: 'Trace' })
    await trace.getByRole('img', { name: /waits for .*: breaker payments is open/ }).waitFor()
    await trace.getByText('Waits: breaker payments is open').waitFor()
    await page.getByRole('button', { name: 'Details' }).click()
    await page
      .getByRole('region', { name: 'Deliveries' })
      .getByRole('link', { name: 'breaker payments is open' })
      .click()
    await page.getByRole('heading', { level: 1, name: 'Breakers' }).waitFor()
    // Between the question and its first attempt there may be no bar at all.
    await page.route('**/v1/events/held-*/trace*', async (route) => {
      const answer = await (await route.fetch()).json()
      for (const { deliveries } of answer.events)
        for (const each of deliveries) Object.assign(each, { attempts: [], wait: null, state: 'running' })
      await route.fulfill({ json: answer })
    })
    await visit.at(world.url, place)
    await trace.getByText('running').first().waitFor()
    expect(await trace.locator('svg:not([aria-label]), svg[aria-label=""]').count()).toBe(0)
    await page.unroute('**/v1/events/held-*/trace*')
  })

  test('says that its data could not be fetched, and why, and shows them once they can', async () => {
    const { page } = visit
    onTestFinished(() => world.bodiesAway(false))
    await world.bodiesAway(true)
    await visit.at(world.url, 'events?id=large')
    const event = page.getByRole('region', { name: 'Event' })
    await event.getByText(/could not be fetched from the object store: .*claim/).waitFor()
    expect(await event.getByLabel('Data of the event').count()).toBe(0)
    await world.bodiesAway(false)
    onTestFinished(() => world.bodiesAway(true))
    // It asks by itself every few seconds as well: then the button is gone with the fault.
    const again = event.getByRole('button', { name: 'Try again' })
    await again.click({ timeout: 1_000 }).catch(() => undefined)
    await event.getByLabel('Data of the event').getByText('"order": "large"').waitFor()
  })
})
