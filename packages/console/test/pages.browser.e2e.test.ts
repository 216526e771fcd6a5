// Every page in a real browser: usable by everybody in both themes and at both widths, and deaf to what strangers wrote.
// With EVENTSPINE_SCREENSHOTS=FOLDER a picture of each is kept there.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { browserBefore } from './before.js'
import { hasChromium, narrow, wide } from './browser.js'
import { payloads } from './payloads.js'
import { until, World } from './world.js'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const pictures = process.env.EVENTSPINE_SCREENSHOTS
const standards = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

const pages = [
  ...['', 'dead-letters', 'dead-letters?subscription=ship', 'dead-letters?subscription=nobody', 'redrives'],
  ...['events', 'events?live=1', 'events?type=none', 'subscriptions', 'subscriptions?name=ship'],
  ...[
    'workflows',
    'workflows?state=awaiting-approval',
    'workflows?state=awaiting-approval&workflow=none',
    'workflows?workflow=refund&id=r-1',
    'workflows?workflow=errand&id=e-1',
    'breakers',
    'schedules',
    'workers',
    'webhooks',
    'audit',
    'audit?action=key.create',
    'audit?entry=1',
    'keys',
    'map',
    'contracts',
    'contracts?type=orders.order-placed&version=1',
  ],
  'nowhere',
]

const looks = [
  ['light', wide],
  ['dark', wide],
  ['light', narrow],
  ['dark', narrow],
] as const

interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
}

// The size of targets is the one rule of WCAG 2.2 AA that axe leaves out unless it is told otherwise.
const options = { runOnly: standards, rules: { 'target-size': { enabled: true } } }

async function violations(page: Page): Promise<string[]> {
  const run = `axe.run(document, ${JSON.stringify(options)}).then(({ violations }) => violations)`
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.evaluate(axe)
  const found = (await page.evaluate(run)) as Violation[]
  return found.map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`)
}

async function picture(page: Page, name: string): Promise<void> {
  if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${name}.png`) })
}

const ofOne = (letter: string, event: string) => [
  `dead-letters?letter=${encodeURIComponent(letter)}`,
  `events?id=${event}`,
  `events?id=${event}&view=trace`,
]

const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'

describe.skipIf(!hasChromium)('every page (needs chromium)', () => {
  const world = new World()
  let letter = ''
  let event = ''
  let long = ''
  const { open } = browserBefore(world, async () => {
    const orders = Array.from({ length: 12 }, (_, at) => world.order(`o-${at}`, at % 3 === 0 ? 'XX' : 'DE'))
    await world.publish(orders)
    await world.refund('r-1', { amount: 40 })
    await world.dead(4)
    // As long as a key may be, without a place to break it.
    await world.publish([world.order('W'.repeat(150))])
    await world.errand('e-1')
    await world.post('/v1/keys', { name: 'vic', access: 'viewer', reason: 'new here' })
    const lost = await world.post('/v1/keys', { name: 'lost', access: 'operator' })
    await world.post(`/v1/keys/${String(lost.id)}/withdraw`, { reason: 'lost' })
    await world.spine.operator().setBreaker({ name: 'payments' }, 'open', 'ada', 'their maintenance')
    const endpoint = { webhooks: 'partners', endpoint: 'ep-1' }
    await world.spine.operator().webhooks.disable(endpoint, 'ada', 'asked for')
    await world.spine.operator().pause('ship', 'ada', 'a deployment')
    await world.post('/v1/replays', { subscription: 'ship', reason: 'a look' })
    event = String((await world.get('/v1/events?key=o-1&type=orders.order-placed')).items[0]?.id)
    long = String(
      (await world.get(`/v1/events?key=${'W'.repeat(150)}&type=orders.order-placed`)).items[0]?.id,
    )
    letter = String((await world.get('/v1/dead-letters?state=dead')).items[0]?.id)
  })

  // Loaded once each: theme and width change under the page as they do under a person's.
  test('in both themes and at both widths', async () => {
    const visit = await open()
    const { page } = visit
    await visit.signIn(world.url, world.key)
    const faults: string[] = []
    for (const path of [...pages, ...ofOne(letter, event), `events?id=${long}`]) {
      await visit.at(world.url, path)
      for (const [colorScheme, viewport] of looks) {
        await page.emulateMedia({ colorScheme })
        await page.setViewportSize(viewport)
        const name = `${colorScheme} ${viewport.width} ${path || 'overview'}`
        faults.push(...(await violations(page)).map((each) => `${name}: ${each}`))
        const beyond = Number(await page.evaluate(overflow))
        if (beyond > 0) faults.push(`${name}: ${beyond} pixels wider than the screen`)
        await picture(page, name.replaceAll(/\W+/g, '-'))
      }
    }
    expect(faults).toEqual([])
    await visit.close()
  }, 120_000)

  test('dialogs and the sign-in are usable by everybody too', async () => {
    const visit = await open()
    await visit.page.goto(`${world.url}/console/`)
    await visit.page.getByLabel('API key').waitFor()
    expect(await violations(visit.page)).toEqual([])
    await picture(visit.page, 'sign-in')
    await visit.signIn(world.url, world.key)
    await visit.at(world.url, 'dead-letters?subscription=ship')
    for (const name of ['Redrive…', 'Discard…']) {
      await visit.page.getByRole('button', { name }).click()
      await visit.page.getByRole('button', { name: /4 dead letters/ }).waitFor()
      expect(await violations(visit.page)).toEqual([])
      await picture(visit.page, `dialog-${name.slice(0, -1)}`)
      await visit.page.keyboard.press('Escape')
    }
    await visit.at(world.url, 'keys')
    await visit.page.getByRole('button', { name: 'Make a key…' }).click()
    expect(await violations(visit.page)).toEqual([])
    await picture(visit.page, 'dialog-make-key')
    await visit.page.getByLabel('Whose it is').fill('nina')
    await visit.page.getByRole('button', { name: 'Make 1 key' }).click()
    await visit.page.getByRole('button', { name: 'I have it' }).waitFor()
    expect(await violations(visit.page)).toEqual([])
    await picture(visit.page, 'dialog-key-once')
    await visit.page.keyboard.press('Escape')
    await visit.at(world.url, 'subscriptions?name=ship')
    await visit.page.getByRole('button', { name: 'Stop…' }).click()
    expect(await violations(visit.page)).toEqual([])
    await picture(visit.page, 'dialog-stop-replay')
    await world.endSessions('admin')
    await visit.page.getByRole('dialog', { name: 'Your session has ended' }).waitFor()
    expect(await violations(visit.page)).toEqual([])
    await picture(visit.page, 'dialog-session-ended')
    await visit.signIn(world.url, world.key)
    // An operator, with buttons that take an admin, and a viewer, with none.
    for (const role of ['operator', 'viewer'] as const) {
      const other = await open()
      await other.signIn(world.url, world.keyOf(role))
      await other.at(world.url, 'dead-letters?subscription=ship')
      expect(await violations(other.page)).toEqual([])
      await picture(other.page, `as-${role}`)
      await other.close()
    }
    // What is refused, and what is old, is told to everybody too.
    await visit.page.route('**/v1/overview/live', (route) => route.fulfill({ status: 429, json: {} }))
    await visit.at(world.url, '')
    await visit.page.getByText('cannot be followed').waitFor()
    await visit.page.route('**/v1/overview', (route) => route.fulfill({ status: 503, json: {} }))
    await visit.page.getByText('These figures are old').waitFor()
    expect(await violations(visit.page)).toEqual([])
    await picture(visit.page, 'overview-old')
    await visit.page.unrouteAll()
    await visit.page.keyboard.press('Control+k')
    await visit.page.getByRole('combobox', { name: 'A page, a name, or an id' }).fill('o')
    expect(await violations(visit.page)).toEqual([])
    await picture(visit.page, 'palette')
    await visit.close()
  })

  test('is quick with 100,000 rows: those in sight alone are in the document', async () => {
    const visit = await open()
    await visit.signIn(world.url, world.key)
    const items = Array.from({ length: 20_000 }, (_, id) => ({
      ...{ id, atMs: id, actor: 'ada', action: 'tested', target: `row ${id}`, details: {} },
    }))
    await visit.page.route('**/v1/audit*', (route) => {
      const asked = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0)
      const own = items.map((item) => ({ ...item, id: item.id + asked * items.length }))
      return route.fulfill({ json: { items: own, cursor: asked < 4 ? String(asked + 1) : null } })
    })
    await visit.at(world.url, 'audit')
    for (let page = 2; page <= 5; page++) {
      await visit.page.getByRole('button', { name: 'Load more' }).click()
      await visit.page.getByText(`${page * 20},000 shown`).waitFor()
    }
    await visit.page.evaluate('document.querySelector(".rows").scrollTop = 1e9')
    await visit.page.getByText('row 19999').waitFor()
    expect(await visit.page.locator('.rows tbody tr').count()).toBeLessThan(80)
    await visit.close()
  })
})

// Whatever of it became part of the page would be one of these; the policy would still keep it from running.
const planted =
  'document.querySelectorAll("#console :is(script, img, iframe, object, embed, form[action], svg [onload], [onerror], [onclick], [style*=url], marquee, base, link, meta, a[href^=\\"javascript\\"], math, video, audio, details[open])").length'

// Characters that reverse the order of reading or hide, in all that is read: text, titles, labels, the name of the window.
const hidden = `(() => {
  const titled = [...document.querySelectorAll('[title], [aria-label]')]
  const attributes = titled.map((each) => each.title + each.getAttribute('aria-label'))
  return [...document.title, ...document.body.textContent, ...attributes.join('')].filter((sign) =>
    /[\\p{Bidi_Control}\\p{Default_Ignorable_Code_Point}\\u0000-\\u0008\\u007f-\\u009f]/u.test(sign)).length
})()`

describe.skipIf(!hasChromium)('what strangers write (needs chromium)', () => {
  const world = new World({ actor: '<img src=x onerror=alert("actor")>' })
  const { open } = browserBefore(world, async () => {
    await world.publish(
      payloads.map((text, at) => ({
        ...world.order(text, 'XX', { note: text }),
        ...{ id: `x${at}${text}`.slice(0, 200), source: '/x', subject: text, tenant: `t${at % 7}` },
      })),
    )
    await world.dead(Math.min(500, payloads.length))
    // What operators write is shown to each other.
    for (const [at, text] of payloads.filter((_, n) => n % 25 === 0).entries()) {
      await world.post('/v1/keys', {
        name: text.slice(0, 200),
        access: 'viewer',
        tenant: `t${at}`,
        reason: text,
      })
      await world.post(`/v1/subscriptions/bill/${at % 2 === 0 ? 'pause' : 'resume'}`, { reason: text })
    }
    const operator = world.spine.operator()
    for (const text of payloads.slice(0, 3)) {
      await operator.setBreaker({ name: 'payments', tenant: text.slice(0, 100) }, 'open', text, text)
      await operator.webhooks.disable({ webhooks: 'partners', endpoint: text }, text, text)
    }
    await operator.pause('ship', payloads[0] ?? '', payloads[1])
    await operator.replay({ subscription: 'ship', actor: payloads[2] ?? '', reason: payloads[3] ?? '' })
    for (const [at, text] of payloads.slice(0, 5).entries())
      await world.refund(`x${at}${text}`, { amount: at, text })
  })

  test('there are enough of them', () => expect(new Set(payloads).size).toBeGreaterThanOrEqual(500))

  test('is text on every page', async () => {
    const visit = await open()
    await visit.signIn(world.url, world.key)
    const { page } = visit
    const letters = (await world.get('/v1/dead-letters?state=dead&limit=4')).items
    const instances = (await world.get('/v1/workflows')).items
    const one = letters.map(({ id }) => `dead-letters?letter=${encodeURIComponent(String(id))}`)
    const flows = instances.map(({ id }) => `workflows?workflow=refund&id=${encodeURIComponent(String(id))}`)
    const events = (await world.get('/v1/events?type=orders.order-placed&limit=4')).items.map(
      ({ id, tenant }) => `events?id=${encodeURIComponent(String(id))}&tenant=${tenant}`,
    )
    const asked = payloads
      .slice(0, 40)
      .filter((_, at) => at % 10 === 0)
      .flatMap((text) => {
        const written = encodeURIComponent(text)
        return [
          `events?type=${written}`,
          `dead-letters?error=${written}&letter=${written}`,
          `${written}?x=${written}`,
        ]
      })
    const acts = (await world.get('/v1/audit?limit=30')).items.map(({ id }) => `audit?entry=${String(id)}`)
    for (const path of [...pages, 'dead-letters?all=1', ...acts, ...one, ...flows, ...events, ...asked]) {
      await visit.at(world.url, path)
      // Every row is in the document once.
      for (let at = 0; at < 6 && path.includes('all'); at++)
        await page.evaluate('document.querySelector(".rows").scrollTop += 1000')
      expect([path, await page.evaluate(planted), await page.evaluate(hidden)]).toEqual([path, 0, 0])
    }
    await visit.at(world.url, 'dead-letters?all=1')
    await page.getByText('<script>alert').first().waitFor()
    await visit.close()
  }, 120_000)

  test('that reverses the order of reading is seen, and stays what it was', async () => {
    const visit = await open()
    await visit.signIn(world.url, world.key)
    const { page } = visit
    const note = 'invoice\u202egpj.exe \u2066\u0085pay\u200bload\u{e0041}'
    await world.publish([world.order('k\u202e1', 'XX', { note })])
    await world.spine.operator().resume('ship', 'ada')
    const find = async () => (await world.get('/v1/dead-letters?error=invoice')).items[0]
    await until(async () => (await find())?.state === 'dead')
    const letter = await find()
    await visit.at(world.url, `dead-letters?letter=${encodeURIComponent(String(letter?.id))}`)
    await page
      .getByRole('region', { name: 'Failure' })
      .getByText('invoice\\u202egpj.exe \\u2066')
      .first()
      .waitFor()
    const data = page.getByRole('region', { name: 'Data of the event' })
    await data
      .getByText('"note": "invoice\\u202egpj.exe \\u2066\\u0085pay\\u200bload\\udb40\\udc41"')
      .waitFor()
    expect(await page.evaluate(hidden)).toBe(0)
    // Edited, all else stays as it was.
    await page.getByRole('button', { name: 'Edit and redrive…' }).click()
    const field = page.getByRole('textbox', { name: 'Data, as JSON' })
    const written = await field.inputValue()
    expect(written).not.toMatch(/[\u202e\u2066\u0085\u200b]/)
    expect(letter?.event).toMatchObject({ data: JSON.parse(written) })
    await visit.close()
  })
})
