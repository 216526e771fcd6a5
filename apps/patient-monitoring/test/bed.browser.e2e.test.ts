// The patient page before a real Chromium.
import { describe, expect, test, vi } from 'vitest'
import { afterTest } from '../../../test/spine.js'
import { hasChromium, openBrowser, Scene, wall } from './scene.js'

vi.setConfig({ testTimeout: 90_000 })

const drawn = { timeout: 15_000 }

describe.runIf(hasChromium)('a bed in a browser', () => {
  test('no axis says what cannot be', async () => {
    const browser = await openBrowser()
    afterTest(() => browser.close())
    const scene = await Scene.start()
    for (const value of [100, 98, 96]) await scene.stage.measure('7', 'SaO2', value)
    for (const value of [0, 20]) await scene.stage.measure('7', 'HR', value)
    const display = await scene.visit(browser, wall)
    await display.page.locator('.tile').waitFor()
    await display.at('/beds/7')
    const axisOf = (name: string) =>
      display.page.locator('.chart', { hasText: name }).locator('text[text-anchor="end"]').allTextContents()
    await expect.poll(() => axisOf('oxygen saturation'), drawn).toEqual(['100', '95.6'])
    await expect.poll(() => axisOf('heart rate'), drawn).toEqual(['22', '0'])
    await expect.poll(async () => Number((await axisOf('NEWS2'))[1]), drawn).toBeGreaterThanOrEqual(0)
  })
})
