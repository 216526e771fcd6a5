// What operators and admins do, and what a viewer cannot; alone, two at once, and when the session or the server under them
// ends. In a real browser before a real server.
import type { Page } from 'playwright-core'
import { beforeEach, describe, expect, test } from 'vitest'
import { adminBefore } from './before.js'
import { hasChromium, Visit } from './browser.js'
import { until, World } from './world.js'

const world = new World()
const { visit, open } = adminBefore(world, {
  prepare: async () => {
    await world.publish([world.order('o-1'), ...['o-2', 'o-3', 'o-4'].map((id) => world.order(id, 'XX'))])
    await world.dead(3)
  },
})

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })
const standing = (page: Page) => page.getByRole('region', { name: 'Standing' })
const newestAct = async () => (await world.get('/v1/audit?limit=1')).items[0]

const deadOf = async (subscription: string) =>
  (await world.get(`/v1/dead-letters?state=dead&limit=500&subscription=${subscription}`)).items.length

/** Opens the question of a button, answers it with a reason, and sees it gone. */
async function asked(page: Page, name: string, does: string, reason: string): Promise<void> {
  await button(page, name).click()
  await page.getByLabel('Reason, for the audit').fill(reason)
  await button(page, does).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

describe.skipIf(!hasChromium)('an admin (needs chromium)', () => {
  const at = (id: string) => visit.at(world.url, `workflows?workflow=errand&id=${id}`)

  test('signals a workflow, which goes on with what it was told', async () => {
    const { page } = visit
    await world.errand('e-signal')
    await at('e-signal')
    await standing(page).getByText('the signal go, since').waitFor()
    const wait = page.getByRole('listitem').filter({ hasText: 'waiting' })
    await wait.getByText('open').waitFor()
    await button(page, 'Signal…').click()
    await page.getByText('It waits for go.').waitFor()
    expect(await page.getByLabel('Name of the signal').inputValue()).toBe('go')
    await page.getByLabel('Payload, as JSON').fill('{ "street": ')
    await button(page, 'Send 1 signal').click()
    await page.getByText('The payload is not JSON').waitFor()
    await page.getByLabel('Payload, as JSON').fill('{ "street": "Ring 1" }')
    await page.getByLabel('Reason, for the audit').fill('they called')
    await button(page, 'Send 1 signal').click()
    await standing(page).getByText('completed').waitFor()
    expect(await wait.getByText('open').count()).toBe(0)
    expect(await world.get('/v1/workflows/errand/e-signal')).toMatchObject({
      output: { address: { street: 'Ring 1' } },
    })
    const details = { signal: 'go', reason: 'they called' }
    expect(await newestAct()).toMatchObject({ actor: 'ada', action: 'workflow.signal', details })
  })

  test('cancels one', async () => {
    const { page } = visit
    await world.errand('e-cancel')
    await at('e-cancel')
    await asked(page, 'Cancel…', 'Cancel 1 instance', 'not needed')
    await standing(page).getByText('cancelled').waitFor()
    expect(await newestAct()).toMatchObject({ action: 'workflow.cancel', details: { reason: 'not needed' } })
  })

  test('discards what was counted, and nothing that dies while the question is open', async () => {
    const { page } = visit
    const before = await deadOf('ship')
    await visit.at(world.url, 'dead-letters?subscription=ship')
    await button(page, 'Discard…').click()
    await button(page, `Discard ${before} dead letters`).waitFor()
    await world.publish([world.order('o-late', 'XX')])
    await until(async () => (await deadOf('ship')) === before + 1)
    await page.getByLabel('Reason, for the audit').fill('counted')
    await button(page, `Discard ${before} dead letters`).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await deadOf('ship')).toBe(1)
    await world.publish(['o-5', 'o-6'].map((id) => world.order(id, 'XX')))
    await until(async () => (await deadOf('ship')) === 3)
  })

  test('is told at once that there is no network, and what was given up is not done later', async () => {
    const { page } = visit
    await visit.at(world.url, 'subscriptions?name=ship')
    await button(page, 'Pause…').click()
    await page.getByLabel('Reason, for the audit').fill('offline')
    await page.context().setOffline(true)
    await button(page, 'Pause 1 subscription').click()
    await page.getByRole('dialog').getByText('cannot be reached').waitFor()
    await page.keyboard.press('Escape')
    await page.context().setOffline(false)
    // Whatever was held back would be sent before this.
    await visit.at(world.url, 'subscriptions?name=bill')
    await asked(page, 'Pause…', 'Pause 1 subscription', 'online')
    const states = (await world.get('/v1/subscriptions')).items.map(({ name, state }) => [name, state])
    expect(states).toContainEqual(['ship', 'active'])
    expect(states).toContainEqual(['bill', 'paused'])
    await world.spine.operator().resume('bill', 'setup')
  })

  test('sees one that no worker has taken up, and then what becomes of it', async () => {
    const { page } = visit
    await world.spine.operator().pause('workflow-errand', 'setup')
    await world.post('/v1/workflows/errand', { id: 'e-early', input: {} })
    await at('e-early')
    await standing(page).getByText('accepted').waitFor()
    await world.spine.operator().resume('workflow-errand', 'setup')
    await standing(page).getByText('running').waitFor()
  })

  test('terminates one, and restarts it from a step', async () => {
    const { page } = visit
    await world.errand('e-end')
    await at('e-end')
    await asked(page, 'Terminate…', 'Terminate 1 instance', 'it hangs')
    await standing(page).getByText('terminated').waitFor()
    await button(page, 'Restart…').click()
    await page.getByLabel('From the step').selectOption({ label: 'pack: done' })
    await page.getByLabel('Reason, for the audit').fill('once more')
    await button(page, 'Start 1 new instance').click()
    await page.getByRole('heading', { level: 1, name: 'errand e-end~2' }).waitFor()
    await standing(page).getByText('running').waitFor()
    await standing(page).getByRole('link', { name: 'errand e-end', exact: true }).waitFor()
    const details = { from: 'pack', as: 'e-end~2', reason: 'once more' }
    expect(await newestAct()).toMatchObject({ action: 'workflow.restart', details })
    await standing(page).getByRole('link', { name: 'errand e-end', exact: true }).click()
    await page.getByRole('link', { name: 'In the audit' }).click()
    await page.getByRole('cell', { name: 'as e-end~2' }).waitFor()
  })

  test('opens a breaker by hand, and closes it', async () => {
    const { page } = visit
    await world.spine.operator().setBreaker({ name: 'payments' }, 'closed', 'setup')
    await visit.at(world.url, 'breakers')
    await asked(page, 'Open…', 'Open 1 breaker', 'their maintenance')
    await page.getByRole('cell', { name: 'open', exact: true }).waitFor()
    expect(await newestAct()).toMatchObject({
      ...{ action: 'breaker.open', target: 'payments' },
      details: { before: 'closed', after: 'open', reason: 'their maintenance' },
    })
    // Whose work waits for it says so, and leads here.
    await visit.at(world.url, 'subscriptions?name=bill')
    await standing(page)
      .getByText(/^open Breaker payments, probes/)
      .waitFor()
    await standing(page).getByRole('link', { name: 'payments' }).click()
    await asked(page, 'Close…', 'Close 1 breaker', 'they are back')
    await page.getByRole('cell', { name: 'closed', exact: true }).waitFor()
  })

  test('has a schedule run now, pauses it, and sees that it is paused', async () => {
    const { page } = visit
    await visit.at(world.url, 'schedules')
    await page.getByRole('columnheader', { name: 'If missed' }).waitFor()
    await page.getByRole('cell', { name: /^run (none|once|each)$/ }).waitFor()
    await asked(page, 'Run…', 'Run once now', 'the night was missed')
    await until(async () => (await world.get('/v1/events?type=shop.night-began')).items.length === 1)
    await page.getByRole('link', { name: 'night', exact: true }).click()
    await asked(page, 'Pause…', 'Pause 1 subscription', 'no reports tonight')
    await standing(page).getByText('paused').waitFor()
    await visit.at(world.url, 'schedules')
    await page.getByRole('cell', { name: 'paused' }).waitFor()
    await world.spine.operator().resume('schedule-night', 'setup')
  })

  test('switches the endpoint of a webhook on again', async () => {
    const { page } = visit
    const place = { webhooks: 'partners', endpoint: 'ep-1' }
    await world.spine.operator().webhooks.disable(place, 'setup', 'asked for')
    await visit.at(world.url, 'webhooks')
    await asked(page, 'Enable…', 'Enable 1 endpoint', 'they are back')
    await page.getByText('No endpoint fails and none is disabled').waitFor()
    expect(await newestAct()).toMatchObject({
      action: 'webhook.enable',
      details: { reason: 'they are back' },
    })
  })

  test('stops a replay: what was delivered stays so', async () => {
    const { page } = visit
    const operator = world.spine.operator()
    await operator.pause('ship', 'setup')
    await operator.replay({ subscription: 'ship', actor: 'setup' })
    await visit.at(world.url, 'subscriptions?name=ship')
    const running = page.getByRole('region', { name: 'Running replay' })
    await running.getByText('0 events delivered').waitFor()
    await button(page, 'Replay…').click()
    await page.getByRole('dialog').getByText('A replay that setup began').waitFor()
    await page.keyboard.press('Escape')
    await asked(page, 'Stop…', 'Stop 1 replay', 'the wrong subscription')
    await running.waitFor({ state: 'detached' })
    await page.getByRole('region', { name: 'Replays' }).getByText('stopped').first().waitFor()
    const details = { subscription: 'ship', after: 'stopped', reason: 'the wrong subscription' }
    expect(await newestAct()).toMatchObject({ action: 'replay.stop', details })
    await operator.resume('ship', 'setup')
  })

  test('finds acts by who and what, in an address that a colleague can open', async () => {
    const { page } = visit
    await visit.at(world.url, 'audit')
    await page.getByLabel('Action', { exact: true }).selectOption('replay.stop')
    await page.getByLabel('Who, exactly').fill('ada')
    await button(page, 'Search').click()
    await page.getByRole('link', { name: 'stopped replay' }).click()
    const entry = page.getByRole('region', { name: 'Entry' })
    await entry.getByText('running → stopped').waitFor()
    const other = await open()
    await other.signIn(world.url, world.keyOf('viewer'))
    await other.page.goto(page.url())
    await other.page
      .getByRole('region', { name: 'Entry' })
      .getByText('the wrong subscription', { exact: true })
      .waitFor()
    await other.page.getByLabel('After').fill('2099-01-01T00:00')
    await button(other.page, 'Search').click()
    await other.page.getByText('Nobody did anything of this kind').waitFor()
    await other.close()
  })

  test('makes a key, which is shown once and opens, and withdraws it, which signs out', async () => {
    const { page } = visit
    await visit.at(world.url, 'keys')
    await button(page, 'Make a key…').click()
    await page.getByLabel('Whose it is').fill('nina')
    await page.getByLabel('What it may').selectOption('operator')
    await page.getByLabel('Reason, for the audit').fill('joined the team')
    await button(page, 'Make 1 key').click()
    const key = await page.getByRole('dialog').getByLabel('API key').inputValue()
    expect(key).toMatch(/^es_/)
    await button(page, 'I have it').click()
    expect(await page.content()).not.toContain(key)

    const nina = await open()
    await nina.signIn(world.url, key)
    await nina.at(world.url, 'dead-letters?subscription=ship')
    await button(nina.page, 'Redrive…').waitFor()
    // What takes an admin is there, and says so.
    const discard = button(nina.page, 'Discard…')
    expect(await discard.getAttribute('aria-disabled')).toBe('true')
    await discard.click({ force: true })
    expect(await nina.page.getByRole('dialog').count()).toBe(0)

    await page.getByRole('row', { name: /nina/ }).getByRole('button', { name: 'Withdraw…' }).click()
    await page.getByLabel('Reason, for the audit').fill('left the team')
    await button(page, 'Withdraw 1 key').click()
    await page.getByRole('row', { name: /nina.*left the team/ }).waitFor()
    await nina.page.getByRole('dialog', { name: 'Your session has ended' }).waitFor()
    await nina.close()
  })
})

const everywhere = [
  ...['', 'dead-letters', 'dead-letters?subscription=ship', 'redrives', 'events', 'events?live=1'],
  ...['subscriptions', 'subscriptions?name=ship', 'workflows', 'workflows?workflow=errand&id=e-look'],
  ...['breakers', 'schedules', 'workers', 'webhooks', 'audit', 'keys', 'map', 'contracts'],
]
/** Buttons that look, choose or leave. */
const harmless =
  /^(Go to…|Keys|Sign out|Search|Clear|Load more|Follow live|Stop following|Pause|Details|Trace|[−+]$)/

describe.skipIf(!hasChromium)('a viewer (needs chromium)', () => {
  test('finds no way to change anything, and no server that would let them', async () => {
    await world.errand('e-look')
    await world.spine.operator().setBreaker({ name: 'payments' }, 'open', 'setup')
    await world.spine.operator().webhooks.disable({ webhooks: 'partners', endpoint: 'ep-2' }, 'setup')
    const [letter] = (await world.get('/v1/dead-letters?state=dead')).items
    const vic = await open()
    const { page } = vic
    await vic.signIn(world.url, world.keyOf('viewer'))
    const found: string[] = []
    for (const path of [...everywhere, `dead-letters?letter=${encodeURIComponent(String(letter?.id))}`]) {
      await vic.at(world.url, path)
      for (const each of await page.getByRole('button').all()) {
        const name = (await each.innerText()).trim()
        const isPause = name === 'Pause' && !path.includes('live')
        if (!harmless.test(name) || isPause) found.push(`${path}: ${name}`)
      }
    }
    expect(found).toEqual([])
    // The page of the keys, which they may ask for by hand.
    await vic.at(world.url, 'keys')
    await page.getByRole('alert').getByText('needs the scope "admin"').waitFor()
    expect(await page.getByRole('link', { name: 'API keys' }).count()).toBe(0)
    await world.spine.operator().setBreaker({ name: 'payments' }, 'closed', 'setup')
    const before = await newestAct()
    const refused = await page.evaluate(`(async () => {
      const { csrf } = await (await fetch('/console/session')).json()
      const headers = { 'content-type': 'application/json', 'x-csrf-token': csrf }
      const paths = ['subscriptions/ship/pause', 'breakers/payments', 'keys', 'redrives', 'workflows/errand/e-look/signal']
      const body = JSON.stringify({ state: 'open', name: 'go', access: 'admin', filter: {} })
      const replies = paths.map((path) => fetch('/v1/' + path, { method: 'POST', headers, body }))
      return (await Promise.all(replies)).map(({ status }) => status)
    })()`)
    expect(refused).toEqual([403, 403, 403, 403, 403])
    expect(await newestAct()).toEqual(before)
    await vic.close()
  }, 60_000)
})

describe.skipIf(!hasChromium)('when something ends under an operator (needs chromium)', () => {
  let olga: Visit
  beforeEach(async () => {
    olga = await open()
    await olga.signIn(world.url, world.keyOf('operator'))
    return () => olga.close()
  })

  async function signInAgain({ page }: Visit): Promise<void> {
    const dialog = page.getByRole('dialog', { name: 'Your session has ended' })
    await dialog.getByLabel('API key').fill(world.keyOf('operator'))
    await button(page, 'Sign in').click()
    await dialog.waitFor({ state: 'detached' })
  }

  test('the session, over an open question: what was written is there, and done once', async () => {
    const { page } = olga
    await olga.at(world.url, 'subscriptions?name=bill')
    await button(page, 'Pause…').click()
    const reason = page.getByLabel('Reason, for the audit')
    await reason.fill('a long story that nobody writes twice')
    await world.endSessions('operator')
    await button(page, 'Pause 1 subscription').click()
    await page.getByRole('dialog', { name: 'Your session has ended' }).waitFor()
    expect(await world.get('/v1/subscriptions/bill')).toMatchObject({ state: 'active' })
    await signInAgain(olga)
    expect(await reason.inputValue()).toBe('a long story that nobody writes twice')
    await button(page, 'Pause 1 subscription').click()
    await standing(page).getByText('paused').waitFor()
    const details = { reason: 'a long story that nobody writes twice' }
    expect(await newestAct()).toMatchObject({ actor: 'olga', action: 'subscription.pause', details })
    await asked(page, 'Resume…', 'Resume 1 subscription', 'done')
    await standing(page).getByText('active').waitFor()
  })

  test('the session, over an edited letter: the data stay', async () => {
    const { page } = olga
    const [letter] = (await world.get('/v1/dead-letters?state=dead')).items
    await olga.at(world.url, `dead-letters?letter=${encodeURIComponent(String(letter?.id))}`)
    await button(page, 'Edit and redrive…').click()
    const data = page.getByRole('textbox', { name: 'Data, as JSON' })
    await data.fill('{ "order": "mine", "country": "AT" }')
    await world.endSessions('operator')
    await page.getByRole('dialog', { name: 'Your session has ended' }).waitFor()
    await signInAgain(olga)
    expect(await data.inputValue()).toBe('{ "order": "mine", "country": "AT" }')
  })

  test('the server, and another takes its place: nobody signs in again', async () => {
    const { page } = olga
    await olga.at(world.url, 'subscriptions?name=bill')
    await world.restart()
    await asked(page, 'Pause…', 'Pause 1 subscription', 'a new server')
    await standing(page).getByText('paused').waitFor()
    await asked(page, 'Resume…', 'Resume 1 subscription', 'done')
    await standing(page).getByText('active').waitFor()
  })
})

describe.skipIf(!hasChromium)('two operators (needs chromium)', () => {
  test('who edit the same letter: the second is told, and nothing is overwritten', async () => {
    await world.publish([world.order('o-both', 'XX', { note: 'Both' })])
    await until(async () => (await world.get('/v1/dead-letters?state=dead&error=Both')).items.length === 1)
    const [letter] = (await world.get('/v1/dead-letters?state=dead&error=Both')).items
    const path = `dead-letters?letter=${encodeURIComponent(String(letter?.id))}`
    const [one, two] = [visit, await open()]
    await two.signIn(world.url, world.keyOf('operator'))
    for (const [{ page }, country] of [
      [one, 'AT'],
      [two, 'DE'],
    ] as const) {
      await page.goto(`${world.url}/console/${path}`)
      await button(page, 'Edit and redrive…').click()
      const data = page.getByRole('textbox', { name: 'Data, as JSON' })
      await data.fill(`{ "order": "o-both", "country": "${country}" }`)
      await button(page, 'Check and redrive…').click()
      await button(page, 'Redrive 1 dead letter').waitFor()
    }
    await button(one.page, 'Redrive 1 dead letter').click()
    await one.page.getByText('1 of 1 dead letter succeeded').waitFor()
    // Whichever comes first: the look that was renewed, or the answer to the button.
    const redrive = two.page.getByRole('button', { name: /^Redrive . dead letter/ })
    if (await redrive.isEnabled()) await redrive.click()
    const told = two.page.getByRole('alert').getByText(/Somebody was faster/)
    await told.first().waitFor()
    await two.page.keyboard.press('Escape')
    // What the second wrote is still there, to be compared or thrown away.
    const mine = two.page.getByRole('textbox', { name: 'Data, as JSON' })
    expect(await mine.inputValue()).toContain('DE')
    const shipped = (await world.get('/v1/events?type=orders.order-shipped&key=o-both')).items
    const redrives = (await world.get('/v1/redrives?limit=5')).items
    expect(redrives.filter(({ selected, actor }) => selected === 1 && actor === 'olga')).toEqual([])
    expect(shipped.length).toBeLessThanOrEqual(1)
    await two.close()
  })
})
