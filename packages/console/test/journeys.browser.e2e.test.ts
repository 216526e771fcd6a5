// What people come to the console for, in a real browser before a real server.
import * as workflowEntry from 'eventspine/workflow'
import { describe, expect, test } from 'vitest'
import { adminBefore } from './before.js'
import { hasChromium, wide } from './browser.js'
import { until, World } from './world.js'

const count = (value: number) => new Intl.NumberFormat('en').format(value)

interface Sized {
  readonly scrollWidth: number
  readonly clientWidth: number
  readonly scrollLeft: number
}

describe.skipIf(!hasChromium)('a person (needs chromium)', () => {
  const world = new World()
  const { visit, open } = adminBefore(world, {
    prepare: async () => {
      await world.publish([
        world.order('o-1'),
        world.order('o-2', 'XX'),
        world.order('o-3', 'XX', { note: 'Lost' }),
      ])
      await world.refund('r-1', { amount: 40 })
      await world.dead(2)
    },
  })

  test('signs in by the printed address, and the key is nowhere afterwards', async () => {
    const { page } = visit
    expect(page.url()).toBe(`${world.url}/console/`)
    const kept = await page.evaluate(
      'JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, location.href])',
    )
    expect(kept).not.toContain('es_')
    expect(await page.evaluate('document.cookie')).toBe('')
    await page.goBack().catch(() => undefined)
    expect(page.url()).not.toContain('es_')
    await visit.at(world.url, '')
  })

  test('sees in one glance that something is dead, and goes there', async () => {
    const { page } = visit
    const tile = page.getByRole('region', { name: 'Dead letters' })
    await tile.getByText('2', { exact: true }).waitFor()
    await tile.getByText('2 permanent').waitFor()
    await page.getByRole('region', { name: 'Workers' }).getByText('1', { exact: true }).waitFor()
    // It follows by itself.
    await world.publish([world.order('o-4', 'XX', { note: 'Seen at once' })])
    await tile.getByText('3', { exact: true }).waitFor()
    await tile.getByRole('link').click()
    await page.getByRole('link', { name: 'Seen at once' }).waitFor()
    // What doctor finds leads to where it is mended.
    await page.goBack()
    const findings = page.getByRole('region', { name: 'Findings' })
    await findings.getByRole('link', { name: 'subscription ship' }).click()
    await page
      .getByRole('link', { name: /^ship\// })
      .first()
      .waitFor()
    expect(new URL(page.url()).search).toBe('?subscription=ship')
  })

  test('sees on the map what goes where', async () => {
    const { page } = visit
    await visit.at(world.url, 'map')
    const map = page.getByRole('region', { name: 'Map of the system' })
    await map.getByRole('link', { name: 'ship subscription' }).waitFor()
    // What a function publishes nobody declares: that it does is no fault of anybody.
    const ways = page.getByRole('region', { name: 'Ways of events' })
    await ways.getByRole('cell', { name: 'seen', exact: true }).first().waitFor()
    await ways.getByRole('cell', { name: 'declared and seen' }).first().waitFor()
    expect(await ways.getByRole('cell', { name: 'not declared' }).count()).toBe(0)
    await map.getByRole('link', { name: 'orders.order-placed event' }).click()
    await page.getByRole('heading', { level: 1, name: 'Events' }).waitFor()
    expect(page.url()).toContain('type=orders.order-placed')
  })

  test('sees the whole map at first, and at full size at a word, by the keyboard too', async () => {
    const { page } = visit
    // A screen that is narrower than this map.
    await page.setViewportSize({ width: 760, height: 800 })
    await visit.at(world.url, 'map')
    const map = page.getByRole('region', { name: 'Map of the system' })
    await map.getByRole('link', { name: 'ship subscription' }).waitFor()
    const beyond = () => map.evaluate(({ scrollWidth, clientWidth }: Sized) => scrollWidth - clientWidth)
    expect(await beyond()).toBe(0)
    await page.getByRole('link', { name: 'Full size' }).press('Enter')
    await page.getByRole('link', { name: 'Fit to the page' }).waitFor()
    expect(await beyond()).toBeGreaterThan(0)
    // A colleague sees the same, and moves about in it.
    await page.reload()
    await visit.settled()
    await map.focus()
    await page.keyboard.press('ArrowRight')
    await until(async () => (await map.evaluate(({ scrollLeft }: Sized) => scrollLeft)) > 0)
    await page.getByRole('link', { name: 'Fit to the page' }).press('Enter')
    await page.getByRole('link', { name: 'Full size' }).waitFor()
    expect(await beyond()).toBe(0)
    await page.setViewportSize(wide)
  })

  test('is told how to make a first schedule, in names that the code has', async () => {
    const { page } = visit
    await page.route('**/v1/schedules', (route) => route.fulfill({ json: { schedules: [] } }))
    await visit.at(world.url, 'schedules')
    await page.getByText('This app has no schedule').waitFor()
    const named = await page.locator('.empty code').allInnerTexts()
    const functions = named.filter((text) => text.endsWith('()')).map((text) => text.slice(0, -2))
    expect(functions).toEqual(['schedule', 'reconciler'])
    for (const name of functions) expect(workflowEntry).toHaveProperty(name, expect.any(Function))
    expect(named).toContain('eventspine/workflow')
    await page.unroute('**/v1/schedules')
  })

  test('finds a dead letter, mends it, redrives it, and sees it done', async () => {
    const { page } = visit
    await page.getByRole('link', { name: 'Dead letters' }).first().click()
    await page.getByRole('link', { name: 'No carrier goes to XX' }).click()
    await page.getByRole('link', { name: /^ship\// }).click()
    await page.getByRole('button', { name: 'Edit and redrive' }).click()
    const data = page.getByRole('textbox', { name: 'Data, as JSON' })

    await data.fill('{ "order": ')
    await page.getByText('This is not JSON').waitFor()
    expect(await page.getByRole('button', { name: 'Check and redrive' }).isDisabled()).toBe(true)

    // What a browser would quietly change is refused as the server reads it.
    await data.fill('{ "order": "o-2", "country": "AT", "country": "CH" }')
    await page.getByRole('button', { name: 'Check and redrive' }).click()
    await page.getByRole('alert').getByText('JSON_DUPLICATE_KEY').waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)

    // What does not fit the schema is refused with its place, and nothing is sent.
    await data.fill('{ "order": "o-2", "country": "" }')
    await page.getByRole('button', { name: 'Check and redrive' }).click()
    await page.getByRole('alert').getByText('/data/country').waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)

    await data.fill('{ "order": "o-2", "country": "AT" }')
    await page.getByRole('button', { name: 'Check and redrive' }).click()
    await page.getByLabel('Reason, for the audit').fill('the country was wrong')
    await page.getByRole('button', { name: 'Redrive 1 dead letter' }).click()
    await page.getByText('1 of 1 dead letter succeeded').waitFor()
    expect(page.url()).toContain('/console/redrives?id=')
    const progress = page.getByRole('region', { name: 'Progress' })
    await progress.getByText('Edited by').waitFor()
    expect(await progress.getByText('ada', { exact: true }).count()).toBe(2)
    await progress.getByRole('link', { name: 'in the audit' }).click()
    await page.getByRole('row', { name: /began redrive.*ada.*the country was wrong/ }).waitFor()
    await visit.at(world.url, 'redrives')
    await page.getByRole('row', { name: /ada/ }).waitFor()

    await visit.at(world.url, 'events?type=orders.order-shipped')
    await page.getByText('{"order":"o-2"}').waitFor()
    await visit.at(world.url, 'audit')
    await page.getByText('the country was wrong').waitFor()
  })

  test('discards what is of no use, and says why', async () => {
    const { page } = visit
    await visit.at(world.url, 'dead-letters')
    await page.getByRole('link', { name: 'Lost' }).click()
    await page.getByRole('button', { name: 'Discard…' }).click()
    await page.getByLabel('Reason, for the audit').fill('a test order')
    await page.getByRole('button', { name: 'Discard 1 dead letter' }).click()
    await page.getByText('No dead letters fit').waitFor()
    const { items } = await world.get('/v1/dead-letters?state=discarded')
    expect(items).toMatchObject([{ resolvedBy: 'ada', reason: 'a test order' }])
  })

  test('follows one order through all that it led to', async () => {
    const { page } = visit
    await visit.at(world.url, 'events?type=orders.order-placed&key=o-1')
    await page.getByRole('link', { name: 'orders.order-placed' }).click()
    await page.getByRole('heading', { name: 'What led to what' }).waitFor()
    const tree = page.getByRole('region', { name: 'What led to what' })
    for (const type of ['orders.order-billed', 'orders.order-shipped']) await tree.getByText(type).waitFor()
    await tree.getByRole('link', { name: 'orders.order-billed' }).click()
    await page.getByRole('heading', { level: 1, name: 'orders.order-billed' }).waitFor()
    await page.getByRole('button', { name: 'Trace' }).click()
    const trace = page.getByRole('region', { name: 'Trace' })
    await trace.getByText('3 events over').waitFor()
    await trace
      .getByRole('img', { name: /attempt 1: done after/ })
      .first()
      .waitFor()
    for (const name of ['bill', 'ship']) await trace.getByRole('link', { name, exact: true }).waitFor()
    // A colleague who gets the address sees the same.
    const other = await open()
    await other.signIn(world.url, world.key)
    await other.page.goto(page.url())
    await other.page.getByRole('region', { name: 'Trace' }).getByText('3 events over').waitFor()
    await other.close()
  })

  test('finds the dead letters of one key, as the page of an endpoint does', async () => {
    const { page } = visit
    await visit.at(world.url, 'dead-letters?subscription=ship')
    await page.getByLabel('Key').fill('o-4')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('1 shown').waitFor()
    await page.getByRole('cell', { name: 'o-4', exact: true }).waitFor()
    await page.getByRole('button', { name: 'Redrive…' }).click()
    await page.getByRole('button', { name: 'Redrive 1 dead letter' }).waitFor()
    await page.keyboard.press('Escape')
    // Of several, what the rate is of.
    await world.publish([world.order('o-5', 'XX'), world.order('o-6', 'XX')])
    const letters = () => world.get('/v1/dead-letters?subscription=ship&state=dead')
    await until(async () => (await letters()).items.length > 1)
    await visit.at(world.url, 'dead-letters?subscription=ship')
    await page.getByRole('button', { name: 'Redrive…' }).click()
    const rate = page.getByLabel('Rate, letters sent a second')
    await rate.waitFor()
    expect(await rate.getAttribute('aria-describedby')).toMatch(/-hint$/)
    await page.getByText('It paces the sending').waitFor()
    await page.getByText('at 50 a second they are sent within').waitFor()
    await rate.fill('0.1')
    await page.getByText(/at 0.1 a second they are sent within about [23]0 s/).waitFor()
    // What is left out would be a rate that nobody wrote.
    await page.getByLabel('Reason').fill('cleared')
    for (const cleared of [rate, page.getByLabel('Canary, letters that go first')]) {
      const before = await cleared.inputValue()
      await cleared.fill('')
      await page.getByRole('button', { name: /^Redrive \d+ dead letters$/ }).click()
      expect(
        await cleared.evaluate(
          (field: { validity: { valueMissing: boolean } }) => field.validity.valueMissing,
        ),
      ).toBe(true)
      await cleared.fill(before)
    }
    expect((await world.get('/v1/redrives')).items.filter(({ reason }) => reason === 'cleared')).toEqual([])
    await page.keyboard.press('Escape')
    const place = { webhooks: 'partners', endpoint: 'ep-1', tenant: 'acme' }
    await world.spine.operator().webhooks.disable(place, 'setup')
    await visit.at(world.url, 'webhooks')
    await page.getByRole('link', { name: 'ep-1' }).click()
    await page.getByText('No dead letters fit').waitFor()
    expect(new URL(page.url()).search).toBe('?subscription=webhooks-partners-send&key=ep-1&tenant=acme')
    await world.spine.operator().webhooks.enable(place, 'setup')
  })

  test('pauses a subscription and resumes it', async () => {
    const { page } = visit
    await visit.at(world.url, 'subscriptions?name=bill')
    await page.getByRole('button', { name: 'Pause…' }).click()
    await page.getByRole('button', { name: 'Pause 1 subscription' }).click()
    await page.getByRole('region', { name: 'Standing' }).getByText('paused').waitFor()
    expect(await world.get('/v1/subscriptions/bill')).toMatchObject({ state: 'paused' })
    await page.getByRole('button', { name: 'Resume…' }).click()
    await page.getByLabel('Reason, for the audit').fill('deployed')
    await page.getByRole('button', { name: 'Resume 1 subscription' }).click()
    await page.getByRole('region', { name: 'Standing' }).getByText('active').waitFor()
    expect(await world.get('/v1/subscriptions/bill')).toMatchObject({ state: 'active' })
    const [act] = (await world.get('/v1/audit?limit=1')).items
    expect(act).toMatchObject({ action: 'subscription.resume', details: { reason: 'deployed' } })
  })

  test('replays history into one subscription', async () => {
    const { page } = visit
    await visit.at(world.url, 'subscriptions?name=ship')
    await page.getByRole('button', { name: 'Replay…' }).click()
    await page.getByText('Its handler calls nothing outside').waitFor()
    expect(await page.getByRole('checkbox').count()).toBe(0)
    // What it would deliver follows the start that is chosen.
    const { events } = await world.post('/v1/replays/preview', { subscription: 'ship' })
    await page.getByText(`From the beginning it delivers ${count(Number(events))} events`).waitFor()
    await page.getByLabel('From (empty').fill('2099-01-01T00:00')
    await page.getByText('From there on it delivers 0 events').waitFor()
    expect(await page.getByRole('button', { name: 'Replay 0 events' }).isDisabled()).toBe(true)
    await page.getByLabel('From (empty').fill('')
    await page.getByText('From the beginning it delivers').waitFor()
    await page.getByLabel('Reason, for the audit').fill('a look')
    await page.getByRole('button', { name: `Replay ${count(Number(events))} events`, exact: true }).click()
    const replays = page.getByRole('region', { name: 'Replays' })
    await replays.getByText('completed').waitFor()
    // Who asked, and why.
    await replays.getByText('ada').waitFor()
    await replays.getByRole('link', { name: 'in the audit' }).click()
    await page.getByRole('row', { name: /began replay.*ada.*a look/ }).waitFor()
  })

  test('says that a handler may call the world again, where it does', async () => {
    const { page } = visit
    await visit.at(world.url, 'subscriptions?name=bill')
    await page.getByRole('button', { name: 'Replay…' }).click()
    await page.getByText('From the beginning it delivers').waitFor()
    const replay = page.getByRole('button', { name: /^Replay [\d,]+ events?$/ })
    await replay.click()
    await page.getByRole('dialog').getByText('Tick the box above').waitFor()
    await page.getByRole('checkbox', { name: 'The handler may call the world again' }).check()
    await replay.click()
    await page.getByRole('region', { name: 'Replays' }).getByText('completed').waitFor()
    const { items } = await world.get('/v1/audit?limit=1&action=replay.create')
    expect(items).toMatchObject([{ details: { subscription: 'bill', external: true } }])
  })

  test('approves what a workflow asks', async () => {
    const { page } = visit
    await visit.at(world.url, '')
    const tile = page.getByRole('region', { name: 'Approvals' })
    await tile.getByText('1', { exact: true }).waitFor()
    await tile.getByRole('link').click()
    const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: 'refund r-1' }) })
    await row.getByText('awaiting approval', { exact: true }).waitFor()
    await row.getByText(/^pay, asked of finance .* ago: Pay 40 € back\?$/).waitFor()
    await row.getByRole('link').click()
    await page.getByRole('region', { name: 'Question pay' }).getByText('Pay 40 € back?').waitFor()
    await page.getByRole('button', { name: 'Approve…' }).click()
    await page.getByRole('button', { name: 'Approve', exact: true }).click()
    await page.getByRole('region', { name: 'Standing' }).getByText('completed').waitFor()
    expect(await world.get('/v1/workflows/refund/r-1')).toMatchObject({ output: { approved: true } })
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'A page, a name, or an id' }).fill('approv')
    await page.keyboard.press('Enter')
    await page.getByText('Nothing waits for a decision').waitFor()
  })

  test('goes anywhere by the keyboard', async () => {
    const { page } = visit
    await visit.at(world.url, 'subscriptions')
    await page.getByRole('link', { name: 'bill' }).waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    expect(await page.evaluate('document.activeElement?.textContent')).toBe('schedule-night')
    await page.keyboard.press('k')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'bill' }).waitFor()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'A page, a name, or an id' }).fill('dead l')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Dead letters' }).waitFor()
    await page.keyboard.press('/')
    expect(await page.evaluate('document.activeElement?.name')).toBe('error')
    await page.goBack()
    await page.getByRole('heading', { level: 1, name: 'bill' }).waitFor()
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'A page, a name, or an id' }).fill('ship')
    await page.getByRole('option', { name: 'Subscription ship' }).click()
    await page.getByRole('heading', { level: 1, name: 'ship' }).waitFor()
    await page.goBack()
    await page.getByRole('heading', { level: 1, name: 'bill' }).waitFor()
  })

  test('chooses the dark theme, and it stays', async () => {
    const { page } = visit
    await page.getByLabel('Theme').selectOption('dark')
    await page.reload()
    await visit.settled()
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(18, 22, 21)')
    await page.getByLabel('Theme').selectOption('system')
  })

  test('signs out, and is asked for a key', async () => {
    const own = await open()
    // A key that was copied badly is no key, and the page says so.
    await own.page.goto(`${world.url}/console/#key=es_100%`)
    await own.page.getByLabel('API key').waitFor()
    // In the same window: no session has ended, and nobody says so.
    await own.signIn(world.url, world.key)
    await own.page.getByRole('button', { name: 'Sign out' }).click()
    await own.page.getByLabel('API key').fill('es_wrong')
    await own.page.getByRole('button', { name: 'Sign in' }).click()
    await own.page.getByRole('alert').getByText('not known here').waitFor()
    await own.page.getByLabel('API key').fill(world.key)
    await own.page.getByRole('button', { name: 'Sign in' }).click()
    await own.page.getByRole('button', { name: 'Sign out' }).waitFor()
    await own.close()
  })

  test('is told when the server is away, and finds it again', async () => {
    const own = await open()
    await own.signIn(world.url, world.key)
    await own.page.route('**/v1/subscriptions', (route) => route.abort())
    await own.page.goto(`${world.url}/console/subscriptions`)
    await own.page.getByRole('alert').getByText('cannot be reached').waitFor()
    await own.page.unroute('**/v1/subscriptions')
    await own.page.getByRole('button', { name: 'Try again' }).click()
    await own.page.getByRole('link', { name: 'bill' }).waitFor()
    await until(async () => (await own.page.getByRole('alert').count()) === 0)
    await own.close()
  })
})
