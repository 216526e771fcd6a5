// The page of one dead letter, and lists of those that are dead no more. In a real browser before a real server.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasChromium, openBrowser, Visit } from './browser.js'
import { until, World } from './world.js'

describe.skipIf(!hasChromium)('a dead letter (needs chromium)', () => {
  const world = new World()
  let browser: Browser
  let visit: Visit

  beforeAll(async () => {
    ;[browser] = await Promise.all([openBrowser(), world.start()])
    visit = await Visit.open(browser)
    await visit.signIn(world.url, world.key)
  })
  afterAll(async () => {
    await visit?.close()
    await browser?.close()
    await world.stop()
  })

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
  const at = (id: string) => `dead-letters?letter=${encodeURIComponent(id)}`

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
    const mine = '{ "order": "Unsent", "country": "AT" }'
    await data.fill(mine)
    const address = page.url()
    for (const leaves of [
      () => page.getByRole('link', { name: 'Audit' }).click(),
      () => page.goBack().then(() => undefined),
      () => button('Sign out').click(),
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
})
