// What a page shows that is not of now is said to be old, with its time, and what there is none of is said as well.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { openPhone } from './phone-of.js'
import { hasChromium, openBrowser, Scene, wall } from './scene.js'

vi.setConfig({ testTimeout: 90_000 })

describe.runIf(hasChromium)('pages that are not live', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())

  test('charts that cannot be read are said to be old while the board goes on, and come back by themselves', async () => {
    const scene = await Scene.start()
    await scene.stage.measure('7', 'HR', 80)
    const { page, ...visit } = await visited(scene, '/beds/7')
    await page.locator('.chart', { hasText: 'heart rate' }).waitFor()
    await scene.stage.sql('ALTER TABLE ward.score RENAME TO score_away')
    await page.getByRole('button', { name: '12 h' }).click()
    const bar = page.getByText(/^Charts and alarms: Not live\. What you see is from \d\d:\d\d\.$/)
    await bar.waitFor()
    // A row of the board: what comes with it is of now.
    await scene.stage.sql(`UPDATE ward.board SET score = 3, response = 'low' WHERE bed = '7'`)
    await page.locator('.standing', { hasText: '3' }).waitFor()
    expect(await bar.isVisible()).toBe(true)
    await scene.stage.sql('ALTER TABLE ward.score_away RENAME TO score')
    await bar.waitFor({ state: 'hidden', timeout: 45_000 })
    expect(await page.locator('.chart', { hasText: 'heart rate' }).count()).toBe(1)
    await scene.stage.sql(
      `INSERT INTO ward.bed (bed, ward, state, heard_at) VALUES ('8', 'other', '{}', now())`,
    )
    await visit.at('/beds/8')
    await page.getByText('Bed 8 is not shown: You have signed in for ward icu alone.').waitFor()
    await visit.at('/beds/9')
    await page.getByText('Nothing was heard of a bed 9 so far.').waitFor()
    await scene.stage.measure('9', 'HR', 80)
    await page.locator('.chart', { hasText: 'heart rate' }).waitFor({ timeout: 45_000 })
  })

  test('a page has the time of what it shows, and not that of its reload', async () => {
    const scene = await Scene.start()
    await scene.stage.measure('7', 'HR', 80)
    const { page } = await visited(scene, '/wards/icu')
    await page.locator('.tile').waitFor()
    await scene.stage.sql('ALTER TABLE ward.board RENAME TO board_away')
    await page.getByText(/^Not live\. What you see is from \d\d:\d\d\.$/).waitFor()
    await page.reload()
    await page.getByText('Not live. Nothing has come so far.').waitFor()
    const phone = (await openPhone(scene, browser, 'ann', [])).visit
    await phone.page.getByText('Nothing waits for you').waitFor()
    const dayAgo = new Date(Date.now() - 24 * 3_600_000)
    await phone.context.setOffline(true)
    // As the page begins anew: until then the one before may note what was on its way to it.
    await phone.page.addInitScript(`localStorage.setItem('ward-heard-at', '${dayAgo.getTime()}')`)
    await phone.page.reload()
    const weekday = dayAgo.toLocaleDateString('en-US', { weekday: 'short' })
    await phone.page.getByText(`Not live. What you see is from ${weekday}`).waitFor()
  })

  const visited = async (scene: Scene, path: string) => {
    const visit = await scene.visit(browser, wall)
    await visit.at(path)
    return { page: visit.page, at: (to: string) => visit.at(to) }
  }
})
