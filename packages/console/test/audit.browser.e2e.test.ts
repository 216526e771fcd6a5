// The audit: one act by its address, and searches that mean the same to whoever opens them. In a real browser before a real server.
import { describe, expect, test } from 'vitest'
import { adminBefore } from './before.js'
import { hasChromium } from './browser.js'
import { World } from './world.js'

describe.skipIf(!hasChromium)('the audit (needs chromium)', () => {
  const world = new World()
  const { visit, open } = adminBefore(world, { timezoneId: 'Europe/Vienna' })

  const newest = async () => (await world.get('/v1/audit?limit=1')).items[0]
  /** So many acts, each of which changes something. */
  async function acts(count: number): Promise<void> {
    const operator = world.spine.operator()
    for (let at = 0; at < count; at++)
      await operator.setBreaker({ name: 'payments' }, at % 2 === 0 ? 'open' : 'closed', 'ben')
  }

  test('says in words what was done, whichever way', async () => {
    await acts(2)
    await visit.at(world.url, 'audit?actor=ben')
    for (const said of ['opened breaker', 'closed breaker'])
      await visit.page.getByRole('cell').getByText(said).first().waitFor()
  })

  test('shows one act by its address, however many are newer', async () => {
    const { page } = visit
    await world.post('/v1/subscriptions/bill/pause', { reason: 'long ago' })
    const old = await newest()
    await world.post('/v1/subscriptions/bill/resume', {})
    await acts(101)
    const entry = page.getByRole('region', { name: 'Entry' })
    await visit.at(world.url, `audit?entry=${String(old?.id)}`)
    await entry.getByText('long ago', { exact: true }).waitFor()
    // The list is another matter: its newest hundred, or what was searched for.
    expect(await page.getByRole('row', { name: /long ago/ }).count()).toBe(0)
    await visit.at(world.url, `audit?entry=${String(old?.id)}&actor=nobody`)
    await entry.getByText('long ago', { exact: true }).waitFor()
    await page.getByText('Nobody did anything of this kind').waitFor()
    await visit.at(world.url, 'audit?entry=999999')
    await entry.getByText('There is no such act').waitFor()
    await visit.at(world.url, `audit?entry=${String(old?.id)}`)
    await entry.getByRole('link', { name: 'bill' }).click()
    await page.getByRole('heading', { level: 1, name: 'bill' }).waitFor()
    await visit.at(world.url, 'audit?entry=999999')
    await page.getByRole('button', { name: 'Close', exact: true }).click()
    await entry.waitFor({ state: 'detached' })
  })

  test('names moments in its address as they are everywhere', async () => {
    const { page } = visit
    await visit.at(world.url, 'audit')
    await page.getByLabel('After').fill('2026-07-01T12:30')
    await page.getByLabel('Before').fill('2099-01-01T00:00')
    await page.getByRole('button', { name: 'Search' }).click()
    const asked = new URL(page.url()).searchParams
    expect(asked.get('after')).toBe('2026-07-01T10:30:00.000Z')
    expect(asked.get('before')).toBe('2098-12-31T23:00:00.000Z')
    expect(await page.getByLabel('After').inputValue()).toBe('2026-07-01T12:30')

    const other = await open({ timezoneId: 'America/New_York' })
    await other.signIn(world.url, world.keyOf('viewer'))
    const query = other.page.waitForRequest((request) => request.url().includes('/v1/audit?'))
    await other.page.goto(page.url())
    expect(new URL((await query).url()).searchParams.get('after')).toBe('2026-07-01T10:30:00.000Z')
    expect(await other.page.getByLabel('After').inputValue()).toBe('2026-07-01T06:30')
    // What is not changed there stays what it is.
    await other.page.getByLabel('Who, exactly').fill('ben')
    await other.page.getByRole('button', { name: 'Search' }).click()
    await other.page.waitForURL(/actor=ben/)
    expect(new URL(other.page.url()).searchParams.get('after')).toBe('2026-07-01T10:30:00.000Z')
    await other.close()
  })

  test('keeps its columns whatever stands in them', async () => {
    const { page } = visit
    const long = 'wwwwwwwwww '.repeat(18).trim()
    await world.post('/v1/keys', { name: long, access: 'viewer', reason: long })
    await world.spine.operator().setBreaker({ name: 'payments' }, 'open', long, long)
    await visit.at(world.url, 'audit')
    await page.getByText('made API key').waitFor()
    const beyond =
      "(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.rows'))"
    expect(await page.evaluate(beyond)).toBe(0)
    // All of it stands with the act.
    await page.getByRole('link', { name: 'made API key' }).click()
    const entry = page.getByRole('region', { name: 'Entry' })
    await entry.getByText(`of ${long}`, { exact: true }).waitFor()
  })
})
