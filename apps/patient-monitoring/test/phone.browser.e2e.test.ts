// What a phone says of itself, before a real Chromium: that alarms come to it is said where the ward has confirmed it, and nowhere else.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { until } from '../../../test/spine.js'
import { openPhone } from './phone-of.js'
import { hasChromium, openBrowser, Scene } from './scene.js'

vi.setConfig({ testTimeout: 90_000 })

const ready = 'Alarms come to this phone.'
const wanting = 'Alarms do not come to this phone yet.'
const press = { name: 'Send alarms to this phone' }

describe.runIf(hasChromium)('a phone', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser.close())

  test('one that the ward refuses is not ready, also behind a reload', async () => {
    const scene = await Scene.start()
    const elsewhere = { ...scene.stage.push.subscribe('ann-1'), endpoint: 'https://push.example/1' }
    const { page } = (await openPhone(scene, browser, 'ann', [elsewhere])).visit
    await page.getByRole('button', press).click()
    await page.getByText('This did not work: /endpoint is of no push service').waitFor()
    await page.reload()
    await page.getByText(wanting).waitFor()
    expect(await page.getByText(ready).count()).toBe(0)
    expect(await page.getByRole('button', press).count()).toBe(1)
  })

  test('one that its push service calls gone subscribes anew, and what still stands comes to it', async () => {
    const scene = await Scene.start()
    await scene.stage.onDuty({ ann: {} })
    const [dead, alive] = [scene.stage.push.subscribe('dead', 410), scene.stage.push.subscribe('alive')]
    const { page } = (await openPhone(scene, browser, 'ann', [dead, alive])).visit
    await page.getByRole('button', press).click()
    await page.getByText(ready).waitFor()
    await scene.stage.alarm('7')
    await scene.stage.events('push-failed', 1)
    await until(async () => (await scene.stage.sql('SELECT FROM ward.device')).length === 0)
    // As it does by itself every half minute.
    await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`)
    await until(() =>
      scene.stage.push.received.some(({ phone, alarm }) => phone === 'alive' && alarm.bed === '7'),
    )
    await page.getByText(ready).waitFor()
    expect(scene.stage.push.requests('dead')).toBe(1)
  })

  test('one that somebody has taken away says so, and is asked before it is a device again', async () => {
    const scene = await Scene.start()
    const [first, second] = ['first', 'second'].map((name) => scene.stage.push.subscribe(name))
    if (first === undefined || second === undefined) throw new Error('the test has no subscriptions')
    const { page } = (await openPhone(scene, browser, 'ann', [first, second])).visit
    await page.getByRole('button', press).click()
    await page.getByText(ready).waitFor()
    await scene.stage.sql('DELETE FROM ward.device')
    await page.reload()
    await page.getByRole('button', press).click()
    await page.getByText(ready).waitFor()
    expect(await scene.stage.sql('SELECT endpoint FROM ward.device')).toEqual([{ endpoint: second.endpoint }])
  })

  test('a browser that gives up its subscription gets a new one while nobody looks, or says that alarms do not come', async () => {
    const scene = await Scene.start()
    const { visit, worker } = await openPhone(scene, browser, 'ann', [])
    await visit.page.getByText(wanting).waitFor()
    const subscribed = scene.stage.push.subscribe('anew')
    await worker.evaluate(`{
      PushManager.prototype.getSubscription = async () => null
      PushManager.prototype.subscribe = async () => ({ toJSON: () => (${JSON.stringify(subscribed)}) })
    }`)
    const change = () => worker.evaluate(`self.dispatchEvent(new ExtendableEvent('pushsubscriptionchange'))`)
    await change()
    await until(
      async () => (await scene.stage.sql(`SELECT FROM ward.device WHERE person = 'ann'`)).length === 1,
    )
    await scene.stage.sql('DELETE FROM ward.session')
    await change()
    const titles = () =>
      worker.evaluate('self.registration.getNotifications().then((all) => all.map(({ title }) => title))')
    await until(async () => ((await titles()) as string[]).includes('Alarms do not come to this phone'))
  })
})
