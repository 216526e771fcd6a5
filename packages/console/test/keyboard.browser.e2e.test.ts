// The whole way from a dead letter to its delivery without a mouse: what has the focus is always in sight, and never behind a
// question. In a real browser before a real server.
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { browserBefore } from './before.js'
import { hasChromium } from './browser.js'
import { until, World } from './world.js'

describe.skipIf(!hasChromium)('without a mouse (needs chromium)', () => {
  const world = new World()
  const { open } = browserBefore(world)

  /** Presses Tab until what has the focus is called so. */
  async function tabTo(page: Page, name: RegExp): Promise<void> {
    const label = `(() => { const e = document.activeElement; return e === document.body ? 'nothing'
      : (e.getAttribute('aria-label') ?? e.labels?.[0]?.innerText ?? e.innerText ?? '').trim() })()`
    const seen: string[] = []
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press('Tab')
      const found = String(await page.evaluate(label))
      seen.push(found)
      if (name.test(found)) return
    }
    throw new Error(`Tab does not lead to ${name}: ${seen.join(' | ')}`)
  }
  interface Focused {
    readonly tag: string
    readonly inDialog: boolean
    readonly text: string
  }
  const focused = async (page: Page) =>
    (await page.evaluate(`(() => { const e = document.activeElement
      return { tag: e.tagName, inDialog: e.closest('dialog') !== null, text: e.innerText } })()`)) as Focused

  test('finds a letter, mends it, redrives it, and sees it done; the focus is never lost', async () => {
    await world.publish([world.order('o-keys', 'XX', { note: 'By keyboard' })])
    await until(async () => (await world.get('/v1/dead-letters?error=By+keyboard')).items.length === 1)
    const own = await open()
    const { page } = own
    await own.signIn(world.url, world.keyOf('operator'))
    await page.keyboard.press('Control+k')
    await page.keyboard.type('dead')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Dead letters' }).waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('By keyboard')
    await page.keyboard.press('Enter')
    await page
      .getByRole('link', { name: /^ship\// })
      .first()
      .waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: /^ship\// }).waitFor()
    // Reading goes on at the head of the page.
    expect(await focused(page)).toMatchObject({ tag: 'H1' })

    // A question keeps the focus, and gives it back to what opened it.
    await tabTo(page, /^Redrive…/)
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    for (let presses = 0; presses < 12; presses++) {
      await page.keyboard.press('Tab')
      // Beyond the last of its fields stands the browser, and then the first again; never what is behind it.
      const { tag, inDialog } = await focused(page)
      expect(inDialog || tag === 'BODY', tag).toBe(true)
    }
    for (const leaves of ['Escape', 'Enter'] as const) {
      if (leaves === 'Enter') {
        await page.keyboard.press('Enter')
        await page.getByRole('dialog').waitFor()
        await tabTo(page, /^Leave it/)
      }
      await page.keyboard.press(leaves)
      // The element: closed, and not yet gone, it has no role any more.
      await page.locator('dialog').waitFor({ state: 'detached' })
      expect(await focused(page)).toMatchObject({ text: 'Redrive…' })
    }

    await tabTo(page, /^Edit and redrive…/)
    await page.keyboard.press('Enter')
    await tabTo(page, /^Data, as JSON/)
    await page.keyboard.press('Control+a')
    await page.keyboard.type('{"order": "o-keys", "country": "AT"}')
    await tabTo(page, /^Check and redrive…/)
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Redrive 1 dead letter' }).waitFor()
    await tabTo(page, /^Reason/)
    await page.keyboard.type('by keyboard alone')
    await page.keyboard.press('Enter')
    await page.getByText('1 of 1 dead letter succeeded').waitFor()
    expect(await focused(page)).toMatchObject({ tag: 'H1', inDialog: false })
    await own.close()
  }, 60_000)
})
