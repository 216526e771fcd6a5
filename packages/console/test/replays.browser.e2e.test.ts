// What a replay means for the one who begins it, and what it leaves behind. In a real browser before a real server.
import { describe, expect, onTestFinished, test } from 'vitest'
import { adminBefore } from './before.js'
import { hasChromium } from './browser.js'
import { until, World } from './world.js'

describe.skipIf(!hasChromium)('a replay (needs chromium)', () => {
  const world = new World()
  const { visit, open } = adminBefore(world)

  test('is not offered where it calls the world, to who may not begin it', async () => {
    const operator = await open()
    onTestFinished(() => operator.close())
    const { page } = operator
    await operator.signIn(world.url, world.keyOf('operator'))
    await operator.at(world.url, 'subscriptions?name=bill')
    await page.getByRole('button', { name: 'Replay…' }).click()
    await page.getByText('is replayed by an admin alone').waitFor()
    const replay = page.getByRole('button', { name: /^Replay [\d,]+ events?$/ })
    await replay.waitFor()
    expect(await replay.isDisabled()).toBe(true)
  })

  test('does not call none what nobody has counted', async () => {
    const { page } = visit
    // Of a log whose beginning is full of what others take: 10,000 events would be needed.
    const json = { events: 0, scanned: 10_000, beyond: 700_000 }
    await page.route('**/v1/replays/preview', (route) => route.fulfill({ json }))
    await visit.at(world.url, 'subscriptions?name=ship')
    await page.getByRole('button', { name: 'Replay…' }).click()
    await page.getByRole('button', { name: 'Replay an unknown number of events' }).waitFor()
    await page.getByText('none of the first 10,000 that were looked at').waitFor()
    await page.unroute('**/v1/replays/preview')
  })

  test('leaves dead letters that are named beside those of its subscription, and found with them', async () => {
    const { page } = visit
    await world.publish([world.order('one', 'XX'), world.order('two', 'XX')])
    await world.dead(2)
    await world.post('/v1/replays', { subscription: 'ship' })
    await world.dead(4)
    await until(async () => {
      const ship = (await world.get('/v1/subscriptions/ship')) as { dead?: number; replayDead?: number }
      return ship.dead === 2 && ship.replayDead === 2
    })
    await visit.at(world.url, '')
    await page.getByRole('region', { name: 'Dead letters' }).getByText('4', { exact: true }).waitFor()
    await page.getByText('2 dead letters wait for a person, and 2 of replays.').waitFor()
    await visit.at(world.url, 'subscriptions?name=ship')
    await page
      .getByRole('region', { name: 'Standing' })
      .getByRole('link', { name: '2, and 2 of replays' })
      .click()
    await page.getByRole('button', { name: 'Redrive…' }).click()
    await page.getByRole('button', { name: 'Redrive 4 dead letters' }).waitFor()
  })
})
