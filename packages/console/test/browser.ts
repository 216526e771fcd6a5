// A real Chromium before a real server: what the tests of the console share.
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { expect, vi } from 'vitest'

const executablePath = '/usr/bin/chromium'
/** Debian's package `chromium`; .ci/run installs it. */
export const hasChromium = existsSync(executablePath)
export const wide = { width: 1_280, height: 800 }
export const narrow = { width: 390, height: 844 }

/** Many pages in one test, on a machine that does other things as well. Each wait of it has an end of its own. */
vi.setConfig({ testTimeout: 120_000 })
const waitMsMax = 10_000
const flags = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath, headless: true, args: flags })

/** A page of its own, with what must not happen on it. */
export class Visit {
  page!: Page
  /** Errors of scripts, refusals of the policy, dialogs that a script opened. */
  readonly faults: string[] = []

  /** From now on it is of this page. */
  take(page: Page): this {
    this.page = page
    page.setDefaultTimeout(waitMsMax)
    page.on('pageerror', (error) => this.faults.push(error.message))
    page.on('console', (message) => {
      // What the network refuses is shown on the page, and judged there.
      const isFault = message.type() === 'error' && !message.text().startsWith('Failed to load resource')
      if (isFault) this.faults.push(message.text())
    })
    page.on('dialog', (dialog) => {
      // The browser's own question: there is something unsent.
      if (dialog.type() === 'beforeunload') return void dialog.accept()
      this.faults.push(`a script opened a dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    return this
  }

  static async open(
    browser: Browser,
    options: BrowserContextOptions = {},
    visit = new Visit(),
  ): Promise<Visit> {
    const context = await browser.newContext({ viewport: wide, ...options })
    return visit.take(await context.newPage())
  }

  /** Signs in as `npm start` does it: by a key in the part of the address that no browser sends. */
  async signIn(url: string, key: string): Promise<void> {
    await this.page.goto(`${url}/console/#key=${key}`)
    await this.page.getByRole('button', { name: 'Sign out' }).waitFor()
  }

  /** A page of the console, once what it shows is there. */
  async at(url: string, path: string): Promise<void> {
    await this.page.goto(`${url}/console/${path}`)
    await this.settled()
  }

  async settled(): Promise<void> {
    await this.page.locator('main h1').first().waitFor()
    await this.page.locator('.waiting').first().waitFor({ state: 'detached' })
  }

  async close(): Promise<void> {
    await this.page.context().close()
    expect(this.faults).toEqual([])
  }
}
