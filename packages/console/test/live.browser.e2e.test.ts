// What the pages that follow do when what they follow is refused, ends, or has nothing to say: they say so, and come back by
// themselves. In a real browser before a real server.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test, vi } from 'vitest'
import { Cable } from '../../../test/cable.js'
import { hasChromium, openBrowser, Visit } from './browser.js'
import { World } from './world.js'

/** Streams that one credential may have open. */
const streamsMax = 20
/** The longest wait of a page, and some. */
const againMsMax = 45_000

describe.skipIf(!hasChromium)('what is followed (needs chromium)', () => {
  const cable = new Cable(inject('postgresUrl'))
  let world: World
  let browser: Browser
  let visit: Visit

  beforeAll(async () => {
    world = new World({ databaseUrl: await cable.start() })
    ;[browser] = await Promise.all([openBrowser(), world.start()])
  })
  afterAll(async () => {
    await browser?.close()
    await world.stop()
    await cable.stop()
  })
  beforeEach(async () => {
    visit = await Visit.open(browser)
    await visit.signIn(world.url, world.key)
    return () => visit.close()
  })

  test('too many streams: the overview says so, asks for its figures, and follows again', async () => {
    const { page } = visit
    const others = new AbortController()
    onTestFinished(() => others.abort())
    await visit.at(world.url, 'keys')
    const headers = { authorization: `Bearer ${world.key}` }
    const opened = await Promise.all(
      Array.from({ length: streamsMax }, () =>
        fetch(`${world.url}/v1/events/tail`, { headers, signal: others.signal }),
      ),
    )
    expect(opened.map(({ status }) => status)).toEqual(opened.map(() => 200))
    await visit.at(world.url, '')
    await page.getByText('The figures of now cannot be followed').waitFor()
    await page.getByText(`${streamsMax} streams of this credential are open`).waitFor()
    expect(await page.getByText('These figures are old').count()).toBe(0)
    await world.publish([world.order('o-polled', 'XX')])
    const tile = page.getByRole('region', { name: 'Dead letters' })
    await tile.getByText('1', { exact: true }).waitFor()
    others.abort()
    const told = page.getByText('cannot be followed')
    await told.waitFor({ state: 'detached', timeout: againMsMax })
    await world.publish([world.order('o-followed', 'XX')])
    await tile.getByText('2', { exact: true }).waitFor()
  }, 90_000)

  test('many tabs: those that nobody sees leave the connections to the one in front, and come back', async () => {
    const { page } = visit
    await visit.at(world.url, 'subscriptions?name=bill')
    // A page of this browser never is behind another one: it is told so.
    const behind = `Object.defineProperty(document, 'hidden', { get: () => !globalThis.inFront })`
    const tabs = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const tab = await page.context().newPage()
        await tab.addInitScript(behind)
        return tab
      }),
    )
    for (const [number, tab] of tabs.entries()) {
      await tab.goto(`${world.url}/console/${number === 0 ? 'events?live=1' : ''}`)
      await tab.getByRole('heading', { level: 1 }).first().waitFor()
    }
    await page.getByRole('button', { name: 'Pause…' }).click()
    await page.getByRole('button', { name: 'Pause 1 subscription' }).click()
    await page.getByRole('button', { name: 'Resume…' }).waitFor()
    await world.publish([world.order('behind')])
    const [list] = tabs
    const cell = list?.getByRole('cell', { name: 'behind', exact: true }).first()
    expect(await cell?.count()).toBe(0)
    await list?.evaluate(`globalThis.inFront = true; document.dispatchEvent(new Event('visibilitychange'))`)
    await list?.getByText('Following · ').waitFor()
    await world.publish([world.order('in front')])
    await list?.getByRole('cell', { name: 'in front', exact: true }).first().waitFor()
    await page.getByRole('button', { name: 'Resume…' }).click()
    await page.getByRole('button', { name: 'Resume 1 subscription' }).click()
    await page.getByRole('button', { name: 'Pause…' }).waitFor()
  })

  test('the session ends: the list asks for the key, and goes on behind what it showed last', async () => {
    const { page } = visit
    await visit.at(world.url, 'events?live=1')
    await page.getByText('Following · ').waitFor()
    await world.publish([world.order('before')])
    await page.getByRole('cell', { name: 'before', exact: true }).first().waitFor()
    await world.endSessions('admin')
    const dialog = page.getByRole('dialog', { name: 'Your session has ended' })
    await dialog.waitFor()
    await page.getByText('What comes cannot be followed').waitFor()
    await world.publish([world.order('meanwhile')])
    await dialog.getByLabel('API key').fill(world.key)
    await dialog.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('cell', { name: 'meanwhile', exact: true }).first().waitFor()
    await page.getByText('Following · ').waitFor()
  })

  test('the server is away: the list says when it asks again, and does', async () => {
    const { page } = visit
    await visit.at(world.url, 'events?live=1')
    await page.getByText('Following · ').waitFor()
    await page.context().setOffline(true)
    await world.restart()
    await page.getByText('The server cannot be reached').first().waitFor()
    await world.publish([world.order('unseen')])
    const tryNow = page.getByRole('button', { name: 'Try now' })
    await tryNow.waitFor()
    await page.context().setOffline(false)
    // It may have asked by itself by then: the button is gone with the fault.
    await Promise.all([tryNow.click().catch(() => undefined), page.getByText('Following · ').waitFor()])
    await world.publish([world.order('again')])
    await page.getByRole('cell', { name: 'again', exact: true }).first().waitFor()
  })

  test('the database is away: within seconds the overview says that its figures are old', async () => {
    const { page } = visit
    await visit.at(world.url, '')
    const verdict = page.getByRole('region', { name: 'Verdict' })
    await verdict.getByText(/All is well|Something/).waitFor()
    cable.cut()
    await verdict.getByText('These figures are old').waitFor()
    await verdict.getByText('The server cannot read its database').waitFor()
    await verdict.getByText(/They came \d+ s ago/).waitFor()
    expect(await verdict.getByText(/All is well|Something/).count()).toBe(0)
    cable.mend()
    await verdict.getByText(/All is well|Something/).waitFor({ timeout: againMsMax })
    await page.getByRole('alert').waitFor({ state: 'detached' })
  }, 90_000)

  test('the database hangs: pages say what they wait for and that what they show is old, and come back', async () => {
    const { page } = visit
    await visit.at(world.url, 'subscriptions')
    await page.getByRole('cell', { name: 'ship' }).waitFor()
    onTestFinished(() => cable.mend())
    cable.hang()
    await page.getByText(/^What you see is old: it came \d+ s ago/).waitFor()
    await page.getByRole('link', { name: 'Workers' }).click()
    await page.getByText(/^Loading… .*The server has not answered for [5-9] s\.$/).waitFor()
    await page.getByText(/The server has not answered for 1\d s/).waitFor()
    await page.getByText('whether somebody holds a lock').waitFor()
    await page.getByRole('button', { name: 'Ask again' }).click()
    cable.mend()
    await page.getByText('has not answered').waitFor({ state: 'detached', timeout: againMsMax })
    await page.goBack()
    await page.getByRole('cell', { name: 'ship' }).waitFor()
    await page.getByText('What you see is old').waitFor({ state: 'detached', timeout: againMsMax })
  }, 90_000)

  test('the database hangs: a question says what becomes of it when it is left, and a note what came of it', async () => {
    const { page } = visit
    await visit.at(world.url, 'subscriptions?name=ship')
    await page.getByRole('button', { name: 'Pause…' }).click()
    onTestFinished(() => cable.mend())
    cable.hang()
    const question = page.getByRole('dialog', { name: 'Pause ship' })
    await question.getByRole('button', { name: 'Pause 1 subscription' }).click()
    await question.getByText('It was sent. Leave it, and it may still be done').waitFor()
    await question.getByText(/The server has not answered for [6-9] s/).waitFor()
    await question.getByRole('button', { name: 'Leave it' }).click()
    const note = page.getByRole('region', { name: 'Left: Pause ship' })
    await note.getByText('it was sent, and may still be done').waitFor()
    await page.getByRole('link', { name: 'Redrives' }).click()
    await note.getByText(/Sent \d+ s ago/).waitFor()
    cable.mend()
    await note.getByText('the server has done it after all').waitFor({ timeout: againMsMax })
    expect((await world.get('/v1/subscriptions/ship')).state).toBe('paused')
    await note.getByRole('button', { name: 'Close' }).click()
    await note.waitFor({ state: 'detached' })
    await world.post('/v1/subscriptions/ship/resume', {})
  }, 90_000)

  test('the database hangs: the list says since when nothing can come, and goes on with what came meanwhile', async () => {
    const { page } = visit
    await visit.at(world.url, 'events?live=1')
    await page.getByText('Following · ').waitFor()
    onTestFinished(() => cable.mend())
    cable.hang()
    await page.getByText('The server cannot read the log.').waitFor()
    await page.getByText('Nothing can come · ').waitFor()
    await page.getByText(/Asked in vain for the first time \d+ s ago/).waitFor()
    const published = world.publish([world.order('hung')])
    cable.mend()
    await published
    await page.getByRole('cell', { name: 'hung', exact: true }).first().waitFor({ timeout: againMsMax })
    await page.getByText('Following · ').waitFor()
    await page.getByText('cannot read the log').waitFor({ state: 'detached' })
  }, 90_000)

  test('the database hangs before the list is there: it says what it waits for, and comes', async () => {
    const { page } = visit
    await visit.at(world.url, 'workers')
    await page.getByRole('cell').first().waitFor()
    onTestFinished(() => cable.mend())
    cable.hang()
    await page.getByRole('link', { name: 'Events', exact: true }).click()
    await page.getByRole('button', { name: 'Follow live' }).click()
    await page.getByText('Connecting… · ').waitFor()
    await page.getByText('It takes long to connect.').waitFor()
    await page.getByText(/The server has not answered for [5-9] s\./).waitFor()
    await page.getByText('whether somebody holds a lock').waitFor()
    cable.mend()
    await page.getByText('Following · ').waitFor({ timeout: againMsMax })
    await page.getByText('It takes long to connect.').waitFor({ state: 'detached' })
  }, 90_000)

  test('the database answers nothing at all: the figures are called old as well', async () => {
    const { page } = visit
    await visit.at(world.url, '')
    const verdict = page.getByRole('region', { name: 'Verdict' })
    await verdict.getByText(/All is well|Something/).waitFor()
    const operator = world.spine.operator()
    const readable = await operator.overview()
    let answer = () => {}
    const hung = new Promise<typeof readable>((resolve) => {
      answer = () => resolve(readable)
    })
    const reading = vi.spyOn(operator, 'overview').mockReturnValue(hung)
    onTestFinished(() => answer())
    await verdict.getByText('These figures are old').waitFor()
    await verdict.getByText('The server sends none').waitFor()
    reading.mockRestore()
    answer()
    await verdict.getByText(/All is well|Something/).waitFor()
  })
})
