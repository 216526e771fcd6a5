// A ward with pages before a real Chromium: what the tests of the pages share.
import { existsSync } from 'node:fs'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core'
import { expect } from 'vitest'
import { freePort } from '../../../test/mosquitto.js'
import { afterTest } from '../../../test/spine.js'
import type { Guest } from '../src/site/codes.js'
import { Site } from '../src/site/site.js'
import { Stage } from './stage.js'

const executablePath = '/usr/bin/chromium'
/** Debian's package `chromium`. */
export const hasChromium = existsSync(executablePath)
export const wide = { width: 1_280, height: 800 }
export const narrow = { width: 390, height: 844 }
const waitMsMax = 15_000

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    ...{ executablePath, headless: true },
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-component-update'],
  })

export const carer = (person: string): Guest => ({ kind: 'carer', person, ward: 'icu' })
export const wall: Guest = { kind: 'display', person: 'wall', ward: 'icu' }

export class Scene {
  readonly stage: Stage
  readonly site: Site
  readonly url: string

  readonly mqttPort: number

  private constructor(stage: Stage, site: Site, url: string, mqttPort: number) {
    this.stage = stage
    this.site = site
    this.url = url
    this.mqttPort = mqttPort
  }

  static async start(): Promise<Scene> {
    const port = await freePort()
    const stage = await Stage.start({ devices: { port } }, { sources: true })
    const site = new Site({ ...stage.ward, spine: stage.spine, port: 0, liveMs: 100, sessionsMs: 100 })
    afterTest(() => site.stop())
    const { url } = await site.start()
    return new Scene(stage, site, url, port)
  }

  /** A browser of this guest's own, signed in; what must not happen in it fails the test. */
  async visit(browser: Browser, guest: Guest, options: BrowserContextOptions = {}): Promise<Visit> {
    const context = await browser.newContext({ viewport: wide, ...options })
    const visit = new Visit(context, await context.newPage(), this.url)
    afterTest(() => visit.close())
    await visit.page.goto(`${this.url}${await this.site.invitation(guest)}`)
    await visit.page.waitForURL((url) => url.pathname !== '/sign-in')
    return visit
  }
}

export class Visit {
  readonly context: BrowserContext
  readonly page: Page
  readonly #url: string
  /** Errors of scripts, refusals of the policy, dialogs that a script opened. */
  readonly faults: string[] = []

  constructor(context: BrowserContext, page: Page, url: string) {
    this.context = context
    this.page = page
    this.#url = url
    page.setDefaultTimeout(waitMsMax)
    page.on('pageerror', (error) => this.faults.push(error.message))
    page.on('console', (message) => {
      // What the network refuses is shown on the page, and judged there.
      const isFault = message.type() === 'error' && !/Failed to load resource|ERR_/.test(message.text())
      if (isFault) this.faults.push(message.text())
    })
    page.on('dialog', (dialog) => {
      this.faults.push(`a script opened a dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
  }

  async at(path: string): Promise<void> {
    await this.page.goto(`${this.#url}${path}`)
  }

  async close(): Promise<void> {
    await this.context.close()
    expect(this.faults).toEqual([])
  }
}
