// Events, found and followed. In a real browser before a real server.
import { describe, expect, test } from 'vitest'
import { adminBefore } from './before.js'
import { hasChromium } from './browser.js'
import { World } from './world.js'

describe.skipIf(!hasChromium)('who looks at events (needs chromium)', () => {
  const world = new World()
  const { visit } = adminBefore(world, {
    prepare: async () => {
      await world.publish([
        world.order('o-1'),
        world.order('o-2', 'XX'),
        world.order('o-3', 'XX', { note: 'Lost' }),
      ])
      await world.dead(2)
    },
  })

  test('finds events by their data', async () => {
    const { page } = visit
    await visit.at(world.url, 'events')
    const pattern = page.getByLabel('Pattern over an event')
    // What stands there as an example can be asked; and what is not understood is said to be so.
    const example = (await pattern.getAttribute('placeholder')) ?? ''
    await pattern.fill(example)
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('cell', { name: 'o-2', exact: true }).waitFor()
    await pattern.fill('{"country":"XX"}')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('alert').getByText('This search is not understood').waitFor()
    await pattern.fill('{"data":{"order":["o-3"],"country":["XX"]}}')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('looked at, which is all').waitFor()
    await page.getByRole('cell', { name: 'o-3', exact: true }).waitFor()
    expect(await page.locator('.rows tbody tr').count()).toBe(1)
  })

  test('follows events as they come, pauses, and goes on', async () => {
    const { page } = visit
    const pattern = encodeURIComponent('{"data":{"order":["o-1"]}}')
    await visit.at(world.url, `events?tenant=default&after=2026-01-01T00:00:00.000Z&pattern=${pattern}`)
    await page.getByRole('button', { name: 'Follow live' }).click()
    await page.getByText('Following · ').waitFor()
    // What does not narrow a stream is said, and gone from the address.
    await page
      .getByText('Left out, since what comes is not narrowed by it: Recorded after; Pattern')
      .waitFor()
    expect(new URL(page.url()).search).toBe('?tenant=default&live=1')
    await world.publish([world.order('live-1')])
    await page.getByRole('cell', { name: 'live-1', exact: true }).first().waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('Paused · ').waitFor()
    await world.publish([world.order('live-2')])
    // Two events follow from one order.
    await page.getByText(/Paused · [6-9] came · [3-5] of them wait to be shown/).waitFor()
    expect(await page.getByRole('cell', { name: 'live-2', exact: true }).count()).toBe(0)
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByRole('cell', { name: 'live-2', exact: true }).first().waitFor()
    // What somebody points at stays where it is.
    await world.publish([world.order('live-3')])
    const newest = page.getByRole('cell', { name: 'live-3', exact: true }).first()
    await newest.hover()
    await world.publish([world.order('live-4')])
    await page.getByText('the list stands still while you are in it').waitFor()
    expect(await page.getByRole('cell', { name: 'live-4', exact: true }).count()).toBe(0)
    await page.getByRole('heading', { level: 1 }).hover()
    await page.getByRole('cell', { name: 'live-4', exact: true }).first().waitFor()
  })

  test('is told how many events a flood left out', async () => {
    const { page } = visit
    await visit.at(world.url, 'events?live=1')
    await page.getByText('Following · ').waitFor()
    // Each leads to two more. A hundred come at once, which is more than a round has room for.
    await world.publish(Array.from({ length: 500 }, (_, at) => world.order(`flood-${at}`)))
    await page.getByText(/, [\d,]+ of them left out/).waitFor()
    // The last moment before it was opened may be among them.
    await page.getByText(/1,5\d\d came/).waitFor()
  })
})
