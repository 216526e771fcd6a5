// The board of a thousand beds while half of them change at once, again and again.

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { until } from '../../../test/spine.js'
import { hasChromium, openBrowser, Scene, wall } from './scene.js'

vi.setConfig({ testTimeout: 120_000 })

const beds = 1_000
const rounds = 20
const bedsInARound = 500

interface Seen {
  readonly made: number
  readonly written: number
}

describe.runIf(hasChromium)('the board of a large ward', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())

  test('tiles are written in place: none is made anew, and the page holds what the ward says', async () => {
    const scene = await Scene.start()
    await scene.stage.sql(
      `INSERT INTO ward.board (bed, ward, score, response, last_reading_at)
       SELECT n::text, 'icu', n % 12, 'low', clock_timestamp() FROM generate_series(1, $1) AS n`,
      [beds],
    )
    const { page } = await scene.visit(browser, wall)
    await page
      .locator('.tile')
      .nth(beds - 1)
      .waitFor({ state: 'attached' })
    await page.evaluate(`{
      globalThis.seen = { made: 0, written: 0, places: 0 }
      new MutationObserver((all) => { for (const each of all) seen.made += [...each.addedNodes].filter((node) => node.nodeType === 1).length; seen.written += all.length; seen.places += all.filter(({ target, addedNodes }) => target.className.startsWith?.('beds') && addedNodes.length > 0).length })
        .observe(document.querySelector('.beds'), { subtree: true, childList: true, characterData: true })
    }`)
    for (let round = 1; round <= rounds; round += 1) {
      await scene.stage.sql(
        `UPDATE ward.board SET score = (score + 1) % 12, last_reading_at = clock_timestamp()
         WHERE bed::int % 2 = $1 % 2`,
        [round],
      )
      await page.evaluate('new Promise((resolve) => requestAnimationFrame(resolve))')
    }
    await scene.stage.sql('UPDATE ward.board SET score = 20')
    await until(
      async () =>
        (await page
          .locator('.tile', { hasText: '20' })
          .filter({ has: page.locator('b', { hasText: /^20$/ }) })
          .count()) === beds,
    )
    const { made, written } = (await page.evaluate('seen')) as Seen
    expect(made).toBe(0)
    expect(written).toBeGreaterThan(bedsInARound)
    // A bed that goes leaves the others where they are, and one that comes is the only one that is made.
    await scene.stage.sql(`DELETE FROM ward.board WHERE bed = '1'`)
    await until(async () => (await page.locator('.tile').count()) === beds - 1)
    expect(((await page.evaluate('seen')) as Seen).made).toBe(0)
    await scene.stage.sql(`INSERT INTO ward.board (bed, ward, score, response) VALUES ('0', 'icu', 1, 'low')`)
    await until(async () => (await page.locator('.tile').count()) === beds)
    expect(await page.locator('.tile .bed').first().textContent()).toBe('0')
    expect((await page.evaluate('seen.places')) as number).toBe(1)
  })
})
