// Views that have an address, names of any length, and what people are told where there is nothing to be shown.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { hasChromium, narrow, openBrowser, Scene, wall, wide } from './scene.js'

vi.setConfig({ testTimeout: 90_000 })

describe.runIf(hasChromium)('views', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())

  test('a filter and a time stay over a reload, and can be passed on as an address', async () => {
    const scene = await Scene.start()
    await scene.stage.measure('7', 'HR', 80)
    const visit = await scene.visit(browser, wall)
    const { page } = visit
    await page.locator('.tile').waitFor()
    await page.getByRole('button', { name: 'Unanswered' }).click()
    await page.locator('.tile').waitFor({ state: 'hidden' })
    await page.reload()
    await page.locator('.tile').waitFor({ state: 'attached' })
    expect(await page.locator('.tile').isVisible()).toBe(false)
    expect(await page.getByRole('button', { name: 'Unanswered' }).getAttribute('aria-pressed')).toBe('true')
    await visit.at('/beds/7?hours=3&until=2026-01-02T12:00:00.000Z')
    await page.locator('.which', { hasText: 'by the minute' }).waitFor()
    expect(await page.getByRole('button', { name: '3 h' }).getAttribute('aria-pressed')).toBe('true')
    await page.getByRole('button', { name: '12 h' }).click()
    expect(new URL(page.url()).search).toBe('?hours=12&until=2026-01-02T12%3A00%3A00.000Z')
    await visit.at('/beds/7?hours=seven&until=never')
    await page.locator('.which', { hasText: 'now, by the hour' }).waitFor()
  })

  test('where there is nothing to be shown a person is told so, and by no JSON', async () => {
    const scene = await Scene.start()
    const visit = await scene.visit(browser, wall)
    const { page } = visit
    await page.getByText('Nothing was heard of any bed in this ward so far').waitFor()
    await visit.at('/wards/other')
    await page.getByText('You have signed in for ward icu alone.').waitFor()
    expect(await page.getByText('Not live').count()).toBe(0)
    await visit.at('/wards/icu/')
    await page.getByRole('heading', { level: 1, name: 'Ward icu' }).waitFor()
    for (const path of ['/nothing', '/beds/%E0%A4%A']) {
      await visit.at(path)
      await page.getByRole('heading', { level: 1, name: 'There is no page at this address' }).waitFor()
    }
    await page.getByRole('link').click()
    await page.getByRole('heading', { level: 1, name: 'Ward icu' }).waitFor()
  })

  test('a ward that is told what was says so', async () => {
    const scene = await Scene.start()
    const tell = (hours: number) =>
      scene.stage.sql(
        `INSERT INTO ward.board (bed, ward, last_reading_at) VALUES ('7', 'icu', now() - $1 * interval '1 hour')
         ON CONFLICT (bed) DO UPDATE SET last_reading_at = excluded.last_reading_at`,
        [hours],
      )
    await tell(42)
    const { page } = await scene.visit(browser, wall)
    const line = page.getByText('The newest reading of the ward was taken')
    await line.waitFor()
    await tell(0)
    await line.waitFor({ state: 'hidden' })
  })

  test('the name of a bed hides nothing of its alarm, however long it is', async () => {
    const scene = await Scene.start()
    const visit = await scene.visit(browser, wall)
    const { page } = visit
    const text = 'no current reading comes from this bed'
    const silent = { rule: 'device-silent', priority: 'medium', text, raisedAt: new Date().toISOString() }
    const longest = 'intensive-care-unit-room-number-1234-b-x'
    for (const bed of ['7', 'icu-room-12', longest]) {
      await scene.stage.sql('DELETE FROM ward.board')
      await scene.stage.sql(
        `INSERT INTO ward.board (bed, ward, score, response, last_reading_at, alarms)
         VALUES ($1, 'icu', 12, 'low-medium', now() - interval '25 minutes', jsonb_build_object('a', $2::jsonb))`,
        [bed, JSON.stringify(silent)],
      )
      await visit.at('/wards/icu')
      await page.locator('.tile', { hasText: bed }).getByText('silent 25 min').waitFor()
      for (const viewport of [wide, narrow]) {
        await page.setViewportSize(viewport)
        expect(await cutOff(page), `${bed} at ${viewport.width}`).toEqual([])
      }
      await visit.at(`/beds/${bed}`)
      await page.getByRole('heading', { level: 1, name: `Bed ${bed}` }).waitFor()
      for (const viewport of [wide, narrow]) {
        await page.setViewportSize(viewport)
        expect(await overhang(page), `page of ${bed} at ${viewport.width}`).toBe(0)
      }
    }
  })
})

const overhang = (page: Page) =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')

/** Parts of the one tile that are cut, lie under others, or beyond it; `page` where it is wider than its window. */
async function cutOff(page: Page): Promise<readonly string[]> {
  const parts = await page.evaluate<string[]>(`(() => {
    const tile = document.querySelector('.tile')
    const box = (element) => element.getBoundingClientRect()
    const names = ['bed', 'band', 'says', 'foot']
    const parts = names.map((name) => tile.querySelector('.' + name))
    const cut = ['bed', 'says', 'seen', 'age'].filter((name) => {
      const part = tile.querySelector('.' + name)
      return part.scrollHeight > part.clientHeight + 1 || part.scrollWidth > part.clientWidth + 1
    })
    const covered = names.filter((_, at) => at > 0 && box(parts[at]).top < box(parts[at - 1]).bottom - 1)
    const beyond = names.filter((_, at) => box(parts[at]).bottom > box(tile).bottom)
    return [...cut.map((name) => name + ' is cut'), ...covered.map((name) => name + ' is covered'), ...beyond.map((name) => name + ' is beyond the tile')]
  })()`)
  return (await overhang(page)) > 0 ? [...parts, 'page'] : parts
}
