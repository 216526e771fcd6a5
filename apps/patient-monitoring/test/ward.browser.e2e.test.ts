// The pages before a real Chromium: a reading becomes an alarm on the board and on the phone, is acknowledged there, and everybody sees by
// whom. The push service is one of this machine that speaks the protocol; since Chromium cannot be pointed at it, what it has deciphered
// is handed to the worker by DevTools.
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import mqtt from 'mqtt'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { afterTest, until } from '../../../test/spine.js'
import { deviceRemoved, dutySet, shiftEnded } from '../src/events.js'
import { withPhone } from './phone-of.js'
import { carer, hasChromium, narrow, openBrowser, Scene, type Visit, wall, wide } from './scene.js'

vi.setConfig({ testTimeout: 90_000 })

describe.runIf(hasChromium)('the ward in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())

  test('a reading by MQTT is an alarm on the board, on the bed and on the phone, and the answer is seen everywhere', async () => {
    const scene = await Scene.start()
    const board = await scene.visit(browser, wall)
    const phone = await withPhone(scene, browser, 'ann')
    await scene.stage.spine.publish(dutySet, { ward: 'icu', people: ['ann'] })
    await until(async () => (await scene.stage.sql('SELECT FROM ward.duty')).length === 1)
    // Of the mean pressure nothing else is made.
    await saysByMqtt(scene, '7', 'MAP', 50)

    const tile = board.page.locator('.tile', { hasText: 'mean pressure low' })
    await tile.waitFor()
    expect(await tile.getAttribute('class')).toBe('tile medium open')
    expect(await tile.innerText()).toMatch(/^7\n[\s\S]*!! medium: mean pressure low[\s\S]*no answer/)
    await board.page.getByText('1 alarm unanswered', { exact: true }).waitFor()

    const received = await phone.takes(scene, 1)
    const card = phone.visit.page.locator('.card', { hasText: 'Bed 7' })
    await card.getByText('!! medium').waitFor()
    expect(await phone.notifications()).toMatchObject([{ title: '!! Bed 7', tag: received.alarm.id }])
    await card.getByRole('button', { name: /^I am on it/ }).click()
    await card.getByText('✓ ann').waitFor()

    await tile.getByText('✓ ann').waitFor()
    expect(await tile.getAttribute('class')).toBe('tile medium')
    await tile.click()
    await board.page.getByRole('heading', { level: 1, name: 'Bed 7' }).waitFor()
    await board.page
      .locator('.alarms summary', { hasText: /mean pressure low: 50.*stands · ✓ ann/s })
      .waitFor()
    await board.page
      .locator('.chart', { hasText: 'mean pressure' })
      .locator('.flag.medium')
      .waitFor({ state: 'attached' })
    await board.page.locator('.alarms summary').first().click()
    await board.page.locator('.steps', { hasText: 'alarm acknowledged · ann' }).waitFor()
    expect(await scene.stage.events('acknowledgement-given', 1)).toHaveLength(1)
  })

  test('the button of a notification answers, also offline: once, when the network is back', async () => {
    const scene = await Scene.start()
    const phone = await withPhone(scene, browser, 'ann')
    await scene.stage.spine.publish(dutySet, { ward: 'icu', people: ['ann'] })
    await until(async () => (await scene.stage.sql('SELECT FROM ward.duty')).length === 1)
    await scene.stage.alarm('7')
    await phone.takes(scene, 1)
    await phone.pressesButton()
    await phone.visit.page.getByText('✓ ann').waitFor()
    expect(await phone.notifications()).toEqual([])

    await scene.stage.alarm('8')
    await phone.takes(scene, 2)
    await phone.visit.context.setOffline(true)
    await phone.visit.page.reload()
    const card = phone.visit.page.locator('.card', { hasText: 'Bed 8' })
    await card.getByRole('button', { name: /^I am on it/ }).click()
    await card.getByText('not sent yet').waitFor()
    // Killed and opened again, it still knows.
    await phone.visit.page.reload()
    await card.getByText('not sent yet').waitFor()
    expect(await scene.stage.events('acknowledgement-given')).toHaveLength(1)
    await phone.visit.context.setOffline(false)
    await card.getByText('✓ ann').waitFor()
    expect(await scene.stage.events('acknowledgement-given', 2)).toHaveLength(2)
    expect(await phone.left()).toBe(0)
  })

  test('whoever signs out on a phone gets no alarms there; without a network it says that it cannot', async () => {
    const scene = await Scene.start()
    await scene.stage.onDuty({ ann: {} })
    const { visit } = await withPhone(scene, browser, 'ann')
    await visit.context.setOffline(true)
    const out = visit.page.getByRole('button', { name: 'Sign out' })
    await out.click()
    await visit.page.getByText('You are still signed in, and alarms still come here').waitFor()
    await visit.context.setOffline(false)
    await out.click()
    await visit.page.getByLabel('Your code').waitFor()
    await until(async () => (await scene.stage.sql('SELECT FROM ward.device')).length === 0)
    await scene.stage.alarm('7')
    expect(await scene.stage.events('person-unreachable', 1)).toMatchObject([{ person: 'ann' }])
    expect(scene.stage.push.received).toEqual([])
  })

  test('a phone that is reported lost shows nothing any more, also without a network; a display leads to where one signs in', async () => {
    const scene = await Scene.start()
    await scene.stage.onDuty({ ann: { 'ann-1': [] } })
    await scene.stage.alarm('7')
    const phone = await scene.visit(browser, carer('ann'), { viewport: narrow })
    const display = await scene.visit(browser, wall)
    await phone.page.locator('.card', { hasText: 'Bed 7' }).waitFor()
    await display.page.locator('.tile', { hasText: '7' }).waitFor()
    await scene.stage.spine.publish(deviceRemoved, { person: 'ann', device: null, by: 'lead' })
    await scene.stage.sql(`UPDATE ward.session SET expires_at = clock_timestamp() WHERE person = 'wall'`)
    for (const { page } of [phone, display]) await page.getByLabel('Your code').waitFor()
    await phone.context.setOffline(true)
    await phone.at('/phone/')
    await phone.page.getByText('This phone has kept no alarm that waits').waitFor()
    expect(await phone.page.locator('.card').count()).toBe(0)
  })

  test('a phone shows the alarms of its person alone, and who has answered for them', async () => {
    const scene = await Scene.start()
    await scene.stage.onDuty({ ben: { 'ben-1': [] } })
    const ann = await withPhone(scene, browser, 'ann')
    const ben = await withPhone(scene, browser, 'ben')
    await scene.stage.alarm('9')
    await ben.visit.page.locator('.card', { hasText: 'Bed 9' }).waitFor()
    await ben.visit.page.getByRole('button', { name: /^I am on it/ }).click()
    await ben.visit.page.getByText('✓ ben').waitFor()
    await ann.visit.page.getByText('Nothing waits for you').waitFor()
    expect(await ann.visit.page.locator('.card').count()).toBe(0)
  })

  test('a phone shows an urgent alarm that waits before any number of newer ones, and says that there are more', async () => {
    const scene = await Scene.start()
    await scene.stage.measure('7', 'HR', 30)
    const [high] = await scene.stage.events<{ id: string }>('alarm-raised', 1)
    await scene.stage.sql(
      `INSERT INTO ward.push (alarm, person, device, brief, asked_at)
       SELECT id, 'ann', 'ann-1', jsonb_build_object('id', id, 'ward', 'icu', 'bed', bed, 'rule', 'pulse-very-low',
         'priority', priority, 'text', 'told', 'value', null, 'raisedAt', '2026-01-01T00:00:00.000Z'), at
       FROM (SELECT $1 AS id, '7' AS bed, 'high' AS priority, now() - interval '1 hour' AS at
         UNION ALL SELECT 'other-' || n, 'o' || n, 'medium', now() FROM generate_series(1, 60) AS n) AS told`,
      [high?.id],
    )
    const { page } = await scene.visit(browser, carer('ann'), { viewport: narrow })
    await page.getByText('50 alarms waiting for you, and 11 less urgent more').waitFor()
    expect(await page.locator('.card').first().innerText()).toContain('Bed 7')
  })

  test('a tile shows the whole name of its bed, also beside a long silence and of a bed without a reading', async () => {
    const scene = await Scene.start()
    const silent = {
      rule: 'device-silent',
      priority: 'medium',
      text: 'silent',
      raisedAt: new Date().toISOString(),
    }
    await scene.stage.sql(
      `INSERT INTO ward.board (bed, ward, last_reading_at, alarms) VALUES
         ('132539', 'icu', now() - interval '25 minutes', jsonb_build_object('a', $1::jsonb)),
         ('132540', 'icu', NULL, jsonb_build_object('b', $1::jsonb)), ('132541', 'icu', NULL, '{}')`,
      [JSON.stringify(silent)],
    )
    const { page } = await scene.visit(browser, wall)
    for (const [bed, age] of [
      ['132539', 'silent 25'],
      ['132540', 'silent no reading'],
      ['132541', 'no reading'],
    ] as const) {
      const tile = page.locator('.tile', { hasText: bed })
      await tile.getByText(age).waitFor()
      const [room = 0, needed = 0] = await page.evaluate<number[]>(`(() => {
        const name = [...document.querySelectorAll('.tile .bed')].find(({ textContent }) => textContent === '${bed}')
        const range = document.createRange()
        range.selectNodeContents(name)
        return [name, range].map((each) => each.getBoundingClientRect().width)
      })()`)
      expect(needed, bed).toBeGreaterThan(20)
      expect(room, bed).toBeGreaterThanOrEqual(needed - 0.5)
    }
  })

  test('what others have written is text: nothing of it runs', async () => {
    const scene = await Scene.start()
    const evil = '<img src=x onerror=alert(1)><script>alert(2)</script>'
    const alarm = { rule: 'pulse-low', priority: 'high', text: evil, raisedAt: new Date().toISOString() }
    await scene.stage.sql(
      `INSERT INTO ward.board (bed, ward, score, response, missing, alarms) VALUES ($1, 'icu', 3, $1, ARRAY[$1], jsonb_build_object($1::text, $2::jsonb))`,
      [evil, JSON.stringify(alarm)],
    )
    await scene.stage.sql(`INSERT INTO ward.acknowledgement (alarm, person, at) VALUES ($1, $1, now())`, [
      evil,
    ])
    const board = await scene.visit(browser, wall)
    const tile = board.page.locator('.tile')
    await tile.waitFor()
    expect(await tile.innerText()).toContain(evil)
    expect(await board.page.locator('main img, main script').count()).toBe(0)
    await board.at(`/beds/${encodeURIComponent(evil)}`)
    await board.page.locator('.standing', { hasText: evil }).waitFor()
    await board.at(`/wards/${encodeURIComponent(evil)}`)
    await board.page.getByRole('heading', { level: 1, name: evil }).waitFor()
    const phone = await withPhone(scene, browser, 'ann')
    await phone.pushed({
      alarm: { id: evil, ward: evil, bed: evil, priority: 'low', text: evil, raisedAt: alarm.raisedAt },
      person: 'ann',
      acknowledge: { path: '/', person: 'ann', token: evil },
    })
    await phone.visit.page.locator('.card', { hasText: evil }).first().waitFor()
    expect(await phone.visit.page.locator('main img, main script').count()).toBe(0)
  })

  test('every page is accessible, light and dark, wide and narrow', async () => {
    const scene = await Scene.start()
    await scene.stage.onDuty({ ann: { 'ann-1': [] } })
    for (const bed of ['3', '4']) await scene.stage.alarm(bed)
    await scene.stage.measure('5', 'HR', 30)
    await scene.stage.measure('6', 'HR', 80)
    await until(async () => (await scene.stage.sql('SELECT FROM ward.alarm')).length >= 3)
    // The board is another function than the alarms: who is on it by then has a place in the report.
    await until(async () => (await scene.stage.sql('SELECT FROM ward.board')).length > 0)
    const [from, to] = [-3_600_000, 60_000].map((ms) => new Date(Date.now() + ms).toISOString())
    await scene.stage.spine.publish(shiftEnded, { from: from ?? '', to: to ?? '' })
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
    for (const colorScheme of ['light', 'dark'] as const)
      for (const viewport of [wide, narrow]) {
        // What looks into the page is no script of its own.
        const options = { colorScheme, viewport, bypassCSP: true }
        const display = await scene.visit(browser, wall, options)
        await display.page.locator('.tile.high').waitFor()
        await judged(display, axe, `board ${colorScheme} ${viewport.width}`)
        await display.at('/beds/5')
        await display.page.locator('.flag').first().waitFor({ state: 'attached' })
        await judged(display, axe, `bed ${colorScheme} ${viewport.width}`)
        await display.at('/wards/icu/reports')
        await display.page.locator('.report').waitFor()
        await judged(display, axe, `reports ${colorScheme} ${viewport.width}`)
        await display.at('/nothing')
        await judged(display, axe, `no page ${colorScheme} ${viewport.width}`)
        const phone = await scene.visit(browser, carer('ann'), options)
        await phone.page.locator('.card').first().waitFor()
        await judged(phone, axe, `phone ${colorScheme} ${viewport.width}`)
        await phone.page.getByRole('button', { name: 'Sign out' }).click()
        await phone.page.getByLabel('Your code').waitFor()
        await judged(phone, axe, `sign-in ${colorScheme} ${viewport.width}`)
      }
  })
})

async function judged({ page }: Visit, axe: string, what: string): Promise<void> {
  await page.evaluate(axe)
  const { violations } = (await page.evaluate(
    `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })`,
  )) as {
    violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[]
  }
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
    what,
  ).toEqual([])
  const overhang = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )
  expect(overhang, `${what} is wider than the window`).toBe(0)
}

/** A bedside device, with its password: twice the same, as long apart as it takes to be an alarm. */
async function saysByMqtt(
  { stage, mqttPort }: Scene,
  bed: string,
  parameter: string,
  value: number,
): Promise<void> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${mqttPort}`, {
    username: `ward/icu/bed/${bed}`,
    password: await stage.ward.keys.devicePassword('icu', bed),
  })
  afterTest(() => client.endAsync(true))
  for (const beforeMs of [10_000, 0]) {
    const payload = JSON.stringify({ value, takenAt: new Date(Date.now() - beforeMs).toISOString() })
    await client.publishAsync(`ward/icu/bed/${bed}/${parameter}`, payload, { qos: 1 })
  }
}
