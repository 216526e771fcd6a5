// Questions that are asked in a row of a list, or on a page: they can be read at any width, stay when somebody else is faster, and
// give the focus back. In a real browser before a real server.
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { adminBefore } from './before.js'
import { hasChromium, narrow, wide } from './browser.js'
import { World } from './world.js'

/** What of an element of the browser is asked here. */
interface Cell {
  readonly scrollWidth: number
  readonly clientWidth: number
  readonly textContent: string
  querySelectorAll(selector: string): Iterable<Cell>
}

interface Scrolled {
  readonly scrollTo: (x: number, y: number) => void
}

interface Tall {
  readonly scrollHeight: number
  readonly clientHeight: number
}

describe.skipIf(!hasChromium)('a question of a row (needs chromium)', () => {
  const world = new World()
  const { visit } = adminBefore(world)

  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
  const endpoint = (name: string) => ({ webhooks: 'partners', endpoint: name })
  const breakerIs = async (state: 'open' | 'closed') => {
    // The other way first, so that there is a change to be seen.
    await world.spine.operator().setBreaker({ name: 'payments' }, state, 'ben', 'their maintenance')
  }
  /** Characters of the open question that stand outside of it. */
  const cutOff = `[...document.querySelectorAll('dialog[open] *')]
    .filter((each) => each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0 && each.matches('h2, p, form, label'))
    .map((each) => each.textContent)`
  /** Texts of a cell that do not fit, and are not seen whole. */
  const cutIn = (cell: Cell): string[] =>
    [cell, ...cell.querySelectorAll('*')]
      .filter(({ scrollWidth, clientWidth }) => clientWidth > 0 && scrollWidth > clientWidth + 1)
      .map(({ textContent }) => textContent)
  const beyond = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
  const focused = `(() => { const { tagName, innerText } = document.activeElement
    return tagName + ': ' + innerText.replaceAll(/\\s+/g, ' ').trim() })()`

  test('is told from others by all of its id: wrapped on a narrow screen, in a title on a wide one', async () => {
    const { page } = visit
    const ids = ['1', '2'].map((end) => `order-${'0123456789'.repeat(14)}-${end}`)
    for (const id of ids) await world.errand(id)
    const name = `errand-${'n'.repeat(190)}`
    await world.post('/v1/keys', { name, access: 'viewer' })
    await page.setViewportSize(narrow)
    for (const [path, texts] of [
      ['workflows?workflow=errand', ids],
      ['keys', [name]],
    ] as const) {
      await visit.at(world.url, path)
      for (const text of texts) {
        const cell = page.locator('td:first-child').filter({ hasText: text })
        await cell.waitFor()
        expect(await cell.evaluate(cutIn), path).toEqual([])
      }
    }
    expect(await page.evaluate(beyond)).toBe(0)
    await page.setViewportSize(wide)
    await visit.at(world.url, 'workflows?workflow=errand')
    const link = page.getByRole('link', { name: ids[0] ?? '' })
    await link.hover()
    await page.locator(`td[title*="${ids[0]}"]`).waitFor()
    await page.getByRole('link', { name: ids[1] ?? '' }).focus()
    await page.locator(`td[title*="${ids[1]}"]`).waitFor()
  })

  test('does once what is clicked twice, and nothing again for a key that is held', async () => {
    const { page } = visit
    const runs: string[] = []
    page.on('request', (request) => {
      if (request.url().endsWith('/v1/schedules/night/run')) runs.push(request.url())
    })
    await visit.at(world.url, 'schedules')
    const open = button(page, 'Run…')
    const submit = button(page, 'Run once now')
    const dialog = page.getByRole('dialog')
    await open.click()
    await submit.evaluate((each: { click: () => void }) => {
      each.click()
      each.click()
    })
    await dialog.waitFor({ state: 'detached' })
    expect(runs).toHaveLength(1)
    await open.focus()
    await page.keyboard.down('Enter')
    await submit.waitFor()
    // A browser repeats it as long as it is held.
    for (let n = 0; n < 20; n++) await page.keyboard.down('Enter')
    await page.keyboard.up('Enter')
    expect(runs).toHaveLength(1)
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    expect(runs).toHaveLength(2)
    await page.getByRole('row', { name: /^night .* completed by ada/ }).waitFor()
  })

  test('leaves room for all columns, however long one name is', async () => {
    const { page } = visit
    const name = `reconcile-${'of-all-that-there-is-'.repeat(4)}`.slice(0, 79)
    const { items } = await world.get('/v1/subscriptions')
    const body = { items: items.map((each, at) => (at === 0 ? { ...each, name, app: name } : each)) }
    await page.route('**/v1/subscriptions', (route) => route.fulfill({ json: body }))
    await visit.at(world.url, 'subscriptions')
    const list = page.getByRole('region', { name: /ubscriptions/ }).first()
    const link = page.getByRole('link', { name, exact: true })
    await link.waitFor()
    expect(await list.evaluate(({ scrollWidth, clientWidth }: Cell) => scrollWidth - clientWidth)).toBe(0)
    await link.hover()
    await page.locator(`td[title="${name}"]`).first().waitFor()
    await page.unroute('**/v1/subscriptions')
  })

  test('has the focus by j and k where it has no link, too, and stays near what is looked at', async () => {
    const { page } = visit
    await breakerIs('closed')
    await visit.at(world.url, 'breakers')
    await page.getByRole('row', { name: /payments/ }).waitFor()
    await page.keyboard.press('j')
    expect(await page.evaluate(focused)).toMatch(/^TR: payments/)
    const item = (await world.get('/v1/subscriptions')).items[0]
    const many = Array.from({ length: 200 }, (_, at) => ({ ...item, name: `many-${at}` }))
    await page.route('**/v1/subscriptions', (route) => route.fulfill({ json: { items: many } }))
    await visit.at(world.url, 'subscriptions')
    await page.getByRole('link', { name: 'many-0', exact: true }).waitFor()
    await page.keyboard.press('j')
    expect(await page.evaluate(focused)).toBe('A: many-0')
    await page.locator('.rows').evaluate((list: Scrolled) => list.scrollTo(0, 100 * 36))
    await page.getByRole('link', { name: 'many-105', exact: true }).waitFor()
    await page.keyboard.press('j')
    expect(await page.evaluate(focused)).toMatch(/^A: many-10\d$/)
    await page.unroute('**/v1/subscriptions')
  })

  test('says on a narrow screen what a letter died of, and to whom something was done', async () => {
    const { page } = visit
    await page.setViewportSize(narrow)
    await world.publish([world.order('o-narrow', 'XX', { note: 'No carrier goes to such an island' })])
    await world.dead(1)
    await world.refund('r-narrow-with-a-name', { amount: 1 })
    await world.post('/v1/workflows/refund/r-narrow-with-a-name/cancel', { reason: 'tested' })
    for (const [path, text] of [
      ['dead-letters?subscription=ship', 'No carrier goes to such an island'],
      ['audit', 'refund r-narrow-with-a-name'],
    ] as const) {
      await visit.at(world.url, path)
      const cell = page.locator('td.long').filter({ hasText: text }).first()
      await cell.waitFor()
      expect(await cell.evaluate(cutIn), path).toEqual([])
      const isCut = ({ scrollHeight, clientHeight }: Tall) => scrollHeight > clientHeight + 1
      expect(await cell.locator('.few-lines').evaluate(isCut), path).toBe(false)
    }
    await page.setViewportSize(wide)
  })

  test('can be read on a narrow screen', async () => {
    const { page } = visit
    await page.setViewportSize(narrow)
    await breakerIs('closed')
    await world.spine.operator().webhooks.disable(endpoint('ep-narrow'), 'ben', 'asked for')
    await world.post('/v1/keys', { name: 'nadja', access: 'viewer' })
    for (const [path, name] of [
      ['breakers', 'Open…'],
      ['webhooks', 'Enable…'],
      ['keys', 'Withdraw…'],
      ['schedules', 'Run…'],
    ] as const) {
      await visit.at(world.url, path)
      await button(page, name).first().click()
      await page.getByRole('dialog').waitFor()
      expect([path, await page.evaluate(cutOff)]).toEqual([path, []])
      const wraps = "getComputedStyle(document.querySelector('dialog p')).whiteSpace"
      expect([path, await page.evaluate(wraps)]).toEqual([path, 'normal'])
      await page.keyboard.press('Escape')
    }
    await page.setViewportSize(wide)
  })

  test('stays when somebody else is faster, and says what changed', async () => {
    const { page } = visit
    await breakerIs('closed')
    await visit.at(world.url, 'breakers')
    await button(page, 'Open…').click()
    await page.getByText('wait, and cost no attempt, for an hour').waitFor()
    const reason = page.getByLabel('Reason, for the audit')
    await reason.fill('a long story')
    await breakerIs('open')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('it was closed, and is open. Nothing is left to do.').waitFor()
    expect(await reason.inputValue()).toBe('a long story')
    expect(await button(page, 'Open 1 breaker').isDisabled()).toBe(true)
    // And back: then there is something to do again.
    await breakerIs('closed')
    await dialog.getByText('Nothing is left to do').waitFor({ state: 'detached' })
    await button(page, 'Open 1 breaker').click()
    await dialog.waitFor({ state: 'detached' })
    await page.getByRole('cell', { name: 'open', exact: true }).waitFor()
  })

  test('stays when its row is gone, or has nothing to offer any more', async () => {
    const { page } = visit
    const { webhooks } = world.spine.operator()
    await webhooks.disable(endpoint('ep-gone'), 'ben', 'asked for')
    await visit.at(world.url, 'webhooks')
    await page
      .getByRole('row', { name: /ep-gone/ })
      .getByRole('button', { name: 'Enable…' })
      .click()
    await page.getByLabel('Reason, for the audit').fill('they are back')
    await webhooks.enable(endpoint('ep-gone'), 'ben', 'they are back')
    const dialog = page.getByRole('dialog')
    await dialog.getByText('the list does not show it any more').waitFor()
    expect(await page.getByLabel('Reason, for the audit').inputValue()).toBe('they are back')
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })

    const { id } = await world.post('/v1/keys', { name: 'nora', access: 'viewer' })
    await visit.at(world.url, 'keys')
    await page.getByRole('row', { name: /nora/ }).getByRole('button', { name: 'Withdraw…' }).click()
    await world.post(`/v1/keys/${String(id)}/withdraw`, { reason: 'left the team' })
    await dialog.getByText('it was valid, and is withdrawn by ada: left the team').waitFor()
    expect(await button(page, 'Withdraw 1 key').isDisabled()).toBe(true)
    await page.keyboard.press('Escape')
  })

  test('of a page stays as well, until it is given up', async () => {
    const { page } = visit
    const operator = world.spine.operator()
    await visit.at(world.url, 'subscriptions?name=bill')
    await button(page, 'Pause…').click()
    await page.getByLabel('Reason, for the audit').fill('a deployment')
    await operator.pause('bill', 'ben')
    await page.getByText('Somebody else was faster: it is paused').waitFor()
    expect(await button(page, 'Pause 1 subscription').isDisabled()).toBe(true)
    expect(await page.getByLabel('Reason, for the audit').inputValue()).toBe('a deployment')
    await page.keyboard.press('Escape')
    await button(page, 'Resume…').waitFor()

    // Of a replay, which waits while its subscription is paused.
    await operator.pause('ship', 'ben')
    const { id } = await operator.replay({ subscription: 'ship', actor: 'ben' })
    await visit.at(world.url, 'subscriptions?name=ship')
    await button(page, 'Stop…').click()
    await operator.stopReplay(id, 'ben')
    await page.getByText('It has ended meanwhile: it is stopped').waitFor()
    expect(await button(page, 'Stop 1 replay').isDisabled()).toBe(true)
    await page.keyboard.press('Escape')
    for (const name of ['bill', 'ship']) await operator.resume(name, 'ben')
  })

  test('that a workflow asks stays when another person decides', async () => {
    const { page } = visit
    await world.refund('r-1', { amount: 40 })
    await visit.at(world.url, 'workflows?workflow=refund&id=r-1')
    await button(page, 'Refuse…').click()
    await page.getByLabel('Reason, for the audit').fill('too much')
    await world.post('/v1/workflows/refund/r-1/approve', { name: 'pay', approved: true })
    await page.getByRole('dialog', { name: 'Refuse pay' }).getByText('It is not asked any more').waitFor()
    expect(await page.getByLabel('Reason, for the audit').inputValue()).toBe('too much')
    expect(await button(page, 'Refuse').isDisabled()).toBe(true)
    await page.keyboard.press('Escape')
    await page.getByRole('region', { name: 'Question pay' }).waitFor({ state: 'detached' })
  })

  test('gives the focus back: to its button, else to its row, else to the list or the head of the page', async () => {
    const { page } = visit
    const answered = async (name: string, row = /./) => {
      await page.getByRole('row', { name: row }).getByRole('button', { name: /…$/ }).last().click()
      await page.getByLabel('Reason, for the audit').fill('tested')
      await button(page, name).click()
      await page.locator('dialog').waitFor({ state: 'detached' })
      return String(await page.evaluate(focused))
    }
    await breakerIs('closed')
    await visit.at(world.url, 'breakers')
    expect(await answered('Open 1 breaker', /payments/)).toBe('BUTTON: Close…')

    await world.post('/v1/keys', { name: 'nick', access: 'viewer' })
    await visit.at(world.url, 'keys')
    expect(await answered('Withdraw 1 key', /nick/)).toMatch(/^TR: nick withdrawn/)

    const { webhooks } = world.spine.operator()
    for (const name of ['ep-narrow', 'ep-last']) await webhooks.disable(endpoint(name), 'ben', 'asked for')
    await visit.at(world.url, 'webhooks')
    expect(await answered('Enable 1 endpoint', /ep-narrow/)).toMatch(/^SECTION: .*ep-last/)
    expect(await answered('Enable 1 endpoint', /ep-last/)).toBe('H1: Webhook endpoints')
  })
})
