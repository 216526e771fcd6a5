// One browser has one guest: what happens where the address of the board is opened in the browser of a phone, and the other way round.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { until } from '../../../test/spine.js'
import { withPhone } from './phone-of.js'
import { carer, hasChromium, openBrowser, Scene, wall } from './scene.js'

vi.setConfig({ testTimeout: 90_000 })

describe.runIf(hasChromium)('signing in where somebody is signed in', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())

  test('whoever would take the place of a carer is asked, and signs them out with their phone', async () => {
    const scene = await Scene.start()
    const { visit } = await withPhone(scene, browser, 'ann')
    const { page } = visit
    const open = async (guest: typeof wall) => {
      // Only what stands behind the # is another: a page would not be loaded anew.
      await visit.at('/assets/icon.svg')
      await visit.at(await scene.site.invitation(guest))
    }
    await open(wall)
    await page
      .getByText('This browser is signed in as ann of ward icu. The code is for the display wall')
      .waitFor()
    await page.getByRole('button', { name: 'Stay ann' }).click()
    await page.getByText('Alarms come to this phone.').waitFor()
    await open(carer('ann'))
    await page.getByText('Alarms come to this phone.').waitFor()
    await open(wall)
    await page.getByRole('button', { name: 'Sign ann out' }).click()
    await page.getByRole('heading', { level: 1, name: 'Ward icu' }).waitFor()
    await until(async () => (await scene.stage.sql('SELECT FROM ward.device')).length === 0)
    await visit.at('/phone/')
    await page
      .getByText('This browser is signed in as the display wall, and no alarms come to a display.')
      .waitFor()
    for (const text of ['Nothing waits for you', 'Not live'])
      expect(await page.getByText(text).count()).toBe(0)
  })
})
