// The reports of the shifts, as the next one reads them.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { shiftEnded } from '../src/events.js'
import { hasChromium, openBrowser, Scene, wall } from './scene.js'

vi.setConfig({ testTimeout: 90_000 })

describe.runIf(hasChromium)('shift reports', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())

  test('the board leads to them: alarms by priority and rule, and the worst beds with their pages', async () => {
    const scene = await Scene.start()
    await scene.stage.onDuty({ ann: { 'ann-1': [] } })
    const { page } = await scene.visit(browser, wall)
    await page.getByRole('link', { name: 'Shift reports' }).click()
    await page.getByText('No shift has ended so far').waitFor()
    await scene.stage.measure('8', 'RespRate', 35)
    await page.goBack()
    await page.locator('.tile', { hasText: 'NEWS2' }).waitFor()
    // History and board are other functions: the report is of what both have by then. A tile says "no NEWS2 yet" before.
    await scene.stage.events('alarm-raised', 1)
    for (const rows of ['ward.alarm_step', 'ward.board WHERE score IS NOT NULL'])
      await expect.poll(() => scene.stage.sql(`SELECT FROM ${rows}`), { timeout: 20_000 }).not.toEqual([])
    const [from, to] = ['2026-01-05T06:00:00.000Z', new Date(Date.now() + 60_000).toISOString()]
    await scene.stage.spine.publish(shiftEnded, { from, to })
    await expect.poll(() => scene.stage.sql('SELECT FROM ward.report'), { timeout: 20_000 }).toHaveLength(1)
    await page.getByRole('link', { name: 'Shift reports' }).click()
    const report = page.locator('.report')
    await report.getByText('1 bed · written').waitFor()
    expect(await report.locator('.badge').allTextContents()).toEqual(['!!! 0 high', '!! 0 medium', '! 1 low'])
    await report.getByText('0 acknowledged; 0 that nobody on duty answered in time').waitFor()
    await report.getByRole('cell', { name: 'news2 single' }).waitFor()
    await report.getByRole('link', { name: '8' }).click()
    await page.getByRole('heading', { level: 1, name: 'Bed 8' }).waitFor()
  })
})
