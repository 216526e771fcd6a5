// The page of one dead letter, and lists of those that are dead no more. In a real browser before a real server.
import { describe, expect, test } from 'vitest'
import { adminBefore } from './before.js'
import { hasChromium } from './browser.js'
import { until, World } from './world.js'

describe.skipIf(!hasChromium)('a dead letter (needs chromium)', () => {
  const world = new World()
  const { visit } = adminBefore(world)

  const found = async (note: string) => {
    const { items } = await world.get(`/v1/dead-letters?error=${encodeURIComponent(note)}`)
    return items[0]
  }
  /** An order that dies of `note`: the id of its letter. */
  async function died(note: string, order = note): Promise<string> {
    await world.publish([world.order(order, 'XX', { note })])
    await until(async () => (await found(note))?.state === 'dead')
    return String((await found(note))?.id)
  }

  test('of which somebody edits the data is not left without a question', async () => {
    const { page } = visit
    const button = (name: string) => page.getByRole('button', { name, exact: true })
    const data = page.getByRole('textbox', { name: 'Data, as JSON' })
    const question = page.getByRole('dialog', { name: 'Leave what you wrote?' })
    const id = await died('Unsent')
    await visit.at(world.url, 'redrives')
    await page.getByRole('link', { name: 'Dead letters' }).first().click()
    await page.getByRole('link', { name: 'Unsent' }).click()
    await page.getByRole('link', { name: id }).click()
    await button('Edit and redrive…').click()

    // Nothing is written yet: nobody asks.
    await page.getByRole('link', { name: 'Audit' }).click()
    await page.getByRole('heading', { level: 1, name: 'Audit' }).waitFor()
    await page.goBack()
    await button('Edit and redrive…').click()
    expect(await page.evaluate('document.activeElement.id')).toBe('data')
    await button('Leave it').click()
    await data.waitFor({ state: 'detached' })
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Edit and redrive…')
    await page.keyboard.press('Enter')
    await data.waitFor()
    // Sent as it is, it would go without what is being written.
    expect(await button('Redrive…').count()).toBe(0)
    const mine = '{ "order": "Unsent", "country": "AT" }'
    await data.fill(mine)
    const address = page.url()
    for (const leaves of [
      () => page.getByRole('link', { name: 'Audit' }).click(),
      () => page.goBack().then(() => undefined),
      () => button('Sign out').click(),
      () => button('Leave it').click(),
    ]) {
      await leaves()
      await question.waitFor()
      expect(page.url()).toBe(address)
      await button('Stay here').click()
      await question.waitFor({ state: 'detached' })
      expect(await data.inputValue()).toBe(mine)
    }
    // Where no script leads the browser asks.
    const asked = page.waitForEvent('dialog')
    await page.evaluate('location.reload()')
    expect((await asked).type()).toBe('beforeunload')
    await button('Edit and redrive…').click()
    await data.fill(mine)

    // Once: who wants to leave is not asked again, by "back" either.
    await page.goBack()
    await question.waitFor()
    await button('Leave without it').click()
    await page.getByRole('heading', { level: 1, name: 'Dead letters' }).waitFor()
    await page.getByRole('link', { name: id }).click()
    await button('Edit and redrive…').click()
    // What is sent is not lost.
    await data.fill(mine)
    await button('Check and redrive…').click()
    await button('Redrive 1 dead letter').click()
    await page.getByText('1 of 1 dead letter succeeded').waitFor()
    expect(await question.count()).toBe(0)
  })

  test('that was edited and failed again says whose data it has', async () => {
    const id = await died('Again')
    const data = { order: 'Again', country: 'XX', note: 'Again' }
    await world.post('/v1/redrives', { filter: { ids: [id] }, data })
    await until(async () => (await found('Again'))?.round === 1)
    await visit.at(world.url, `dead-letters?letter=${encodeURIComponent(id)}`)
    await visit.page.getByText(/last sent with data that ada edited .*, and failed again/).waitFor()
  })

  test('that is dead no more is found by its state, and says what became of it', async () => {
    const { page } = visit
    const region = (name: string) => page.getByRole('region', { name })
    const search = () => page.getByRole('button', { name: 'Search' }).click()
    const [mended, dropped, dead] = [await died('Mended'), await died('Dropped'), await died('Still dead')]
    const data = { order: 'Mended', country: 'AT' }
    await world.post('/v1/redrives', { filter: { ids: [mended] }, data, reason: 'the country was wrong' })
    await world.post('/v1/dead-letters/discard', { filter: { ids: [dropped] }, reason: 'a test order' })
    await until(async () => (await found('Mended'))?.state === 'redriven')

    await visit.at(world.url, 'dead-letters')
    await page.getByLabel('State').selectOption('redriven')
    await search()
    await page.getByRole('link', { name: mended }).waitFor()
    expect(page.url()).toContain('state=redriven')
    expect(await page.getByRole('link', { name: dead }).count()).toBe(0)
    await page.getByLabel('State').selectOption('any')
    await search()
    for (const id of [mended, dropped, dead]) await page.getByRole('link', { name: id }).waitFor()
    // Only what is dead can be sent again or discarded.
    expect(await page.getByRole('button', { name: 'Discard…' }).count()).toBe(0)

    await page.getByRole('link', { name: mended }).click()
    const fate = region('What became of it')
    await fate.getByText('its handler has handled it').waitFor()
    await fate.getByText('ada', { exact: true }).first().waitFor()
    // What was sent stands beside what it died with, and who edited it.
    await fate.getByText('Edited by').waitFor()
    await fate.getByText('"AT"').waitFor()
    await region('Data of the event').getByText('"XX"').waitFor()
    await fate.getByText('the country was wrong').waitFor()
    await region('Failure').getByText('Why it died').waitFor()
    await region('Failure').getByText('1 time', { exact: true }).waitFor()
    expect(await page.getByRole('button', { name: /Redrive…|Edit and redrive…/ }).count()).toBe(0)
    await region('Attempts').getByText('1, redrive 1').waitFor()
    await fate.getByRole('link', { name: 'Trace of the event' }).click()
    await region('Trace')
      .getByText(/events? over/)
      .waitFor()
    // What its bars say can be read without pointing at them.
    await region('Trace').getByText('2 attempts, 1 of them failed').click()
    const attempts = region('Trace').locator('.waterfall-attempts li')
    expect(await attempts.allInnerTexts()).toEqual([
      expect.stringMatching(/^attempt 1: dead after .*: .*Mended.*after what was before it$/s),
      expect.stringMatching(/^redrive 1, attempt \d+: done after /),
    ])
    await page.goBack()
    await fate.locator('a[href*="redrives"]').click()
    await page.getByText('1 of 1 dead letter succeeded').waitFor()
    await region('Progress').getByText('Edited by').waitFor()
    await region('Progress').getByText('"AT"').waitFor()
    // A list has none of the data: they may be large.
    const { items } = await world.get('/v1/redrives')
    expect(items.filter(({ edited }) => edited === true).length).toBeGreaterThan(0)
    expect(items.filter((each) => 'data' in each)).toEqual([])

    await visit.at(world.url, 'dead-letters?state=discarded')
    await page.getByRole('link', { name: dropped }).click()
    await fate.getByText('given up for good').waitFor()
    await fate.getByText('a test order').waitFor()
  })

  test('is one of a fault that the list names, and whoever comes back from it is where they were', async () => {
    const { page } = visit
    const letters = 180
    const note = 'The depot is full'
    await world.publish(Array.from({ length: letters }, (_, at) => world.order(`Full-${at}`, 'XX', { note })))
    await until(async () => {
      const { items } = await world.get(`/v1/dead-letters/groups?error=${encodeURIComponent(note)}`)
      return items[0]?.count === letters
    })
    await visit.at(world.url, 'dead-letters')
    await page.getByRole('link', { name: note }).click()
    const fault = page.getByRole('region', { name: 'The same fault' })
    await fault.getByRole('heading', { name: note }).waitFor()
    await fault.getByText(`${letters} letters of ship, permanent`).waitFor()
    const list = page.getByRole('region', { name: 'Dead letters, newest first' })
    const scrolledTo = () => list.evaluate(({ scrollTop }: { readonly scrollTop: number }) => scrollTop)
    await list.getByRole('link').first().waitFor()
    await page.getByRole('button', { name: 'Load more' }).click()
    await page.getByText(`${letters} shown`, { exact: true }).waitFor()
    await list.evaluate((each: { scrollTop: number }) => {
      each.scrollTop = 4_500
    })
    // Of those in the middle: at the edges are rows that are not in sight.
    const row = list
      .getByRole('row')
      .filter({ has: page.getByRole('link') })
      .nth(20)
    await list.locator('tr[aria-rowindex="130"]').waitFor()
    const link = row.getByRole('link')
    const id = await link.innerText()
    await link.click()
    await page.getByRole('region', { name: 'Failure' }).waitFor()
    const scrolled = await page.evaluate('history.length')
    await page.goBack()
    await list.getByRole('link', { name: id }).waitFor()
    expect(await scrolledTo()).toBe(4_500)
    expect(await page.evaluate('document.activeElement.textContent')).toBe(id)
    expect(await page.evaluate('history.length')).toBe(scrolled)
    // Anew it begins at its head.
    await page.getByRole('link', { name: 'All groups' }).click()
    await page.getByRole('link', { name: note }).click()
    await list.getByRole('link').first().waitFor()
    expect(await scrolledTo()).toBe(0)
    // The fault is cleared with what the fields name, or alone.
    await page.getByLabel('Category').selectOption('permanent')
    await list.getByRole('link').first().waitFor()
    await list.evaluate((each: { scrollTop: number }) => {
      each.scrollTop = 1_000
    })
    await list.locator('tr[aria-rowindex="45"]').waitFor()
    await fault.getByRole('link', { name: 'Show any fault' }).click()
    await fault.waitFor({ state: 'detached' })
    expect(page.url()).toContain('subscription=ship')
    // Another search begins at its head, and whoever comes back from it is where they were.
    await expect.poll(scrolledTo).toBe(0)
    await page.goBack()
    await fault.waitFor()
    await expect.poll(scrolledTo).toBe(1_000)
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.getByRole('region', { name: 'Dead letters, grouped' }).waitFor()
  })

  test('and others are sent again until somebody stops it, for the reason that they give, and no other', async () => {
    const { page } = visit
    // Letters of its own for each: the one that a stopped redrive has sent may still be on its way.
    for (const [error, reason] of [
      ['Stopped', 'wrong letters'],
      ['Halted', null],
    ] as const) {
      await died(`${error} one`, `${error}-1`)
      await died(`${error} two`, `${error}-2`)
      const redrive = { filter: { error }, canary: 0, rate: 0.01 }
      const { id } = await world.post('/v1/redrives', redrive)
      await visit.at(world.url, `redrives?id=${String(id)}`)
      await page.getByRole('button', { name: 'Stop…' }).click()
      await page.getByLabel('Reason, for the audit').fill(reason ?? '')
      await page.getByRole('button', { name: /^Stop, \d not sent$/ }).click()
      await page.getByRole('region', { name: 'Progress' }).getByText('stopped', { exact: true }).waitFor()
      const { items } = await world.get(`/v1/audit?action=redrive.stop&target=${String(id)}`)
      expect(items).toMatchObject([{ actor: 'ada', details: { reason } }])
    }
  })
})
