// A real Chromium, and what it measures of a page by itself: paints, interactions, long tasks, shifts, bytes.
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

const executablePath = '/usr/bin/chromium'
const flags = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]
const waitMsMax = 60_000
/** Event Timing reports none that were shorter, and rounds to 8 ms. */
export const reportedMsMin = 16

/** Throws, and says what to install, where there is none. */
export function requireChromium(): void {
  if (!existsSync(executablePath))
    throw new Error('there is no chromium here (Debian: apt-get install chromium)')
}

export const openChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath, headless: true, args: flags })

// Runs in the page, before anything of its own: as text, since what compiles this file knows of no page.
const observer = `(() => {
  const seen = { interactions: {}, longTasks: [], shifts: 0 }
  const each = (type, take, options = {}) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true, ...options })
  each('event', ({ interactionId: id, duration }) => {
    if (id > 0) seen.interactions[id] = Math.max(seen.interactions[id] ?? 0, duration)
  }, { durationThreshold: ${reportedMsMin} })
  each('longtask', ({ duration }) => seen.longTasks.push(duration))
  each('layout-shift', ({ value, hadRecentInput }) => { if (!hadRecentInput) seen.shifts += value })
  globalThis.measured = seen
})()`

export interface Measured {
  /** Of those that took 16 ms and more, from the input to the next paint. */
  readonly interactionsMs: readonly number[]
  readonly longTasksMs: readonly number[]
  /** Cumulative, without those that an input has just asked for. */
  readonly shifts: number
  readonly heapBytes: number
}

export class Tab {
  private constructor(
    readonly page: Page,
    readonly context: BrowserContext,
  ) {}

  /** In a context of its own: with no cookie and nothing in the cache. */
  static async open(browser: Browser): Promise<Tab> {
    const context = await browser.newContext({ viewport: { width: 1_280, height: 800 } })
    await context.addInitScript(observer)
    return Tab.in(context)
  }

  static async in(context: BrowserContext): Promise<Tab> {
    const page = await context.newPage()
    page.setDefaultTimeout(waitMsMax)
    return new Tab(page, context)
  }

  /** Milliseconds from the start of the navigation. */
  async firstPaintMs(): Promise<number> {
    const text = `performance.getEntriesByName('first-contentful-paint')[0]?.startTime`
    return Number(await (await this.page.waitForFunction(text)).jsonValue())
  }

  /** Bytes of all scripts that it loaded, as they came over the network. */
  async scriptBytes(): Promise<number> {
    const text = `performance.getEntriesByType('resource').filter(({ initiatorType, name }) => initiatorType === 'script' || name.endsWith('.js'))
      .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`
    return Number(await this.page.evaluate(text))
  }

  async measured(): Promise<Measured> {
    type Seen = {
      readonly interactions: Record<string, number>
      readonly longTasks: number[]
      readonly shifts: number
    }
    const seen = (await this.page.evaluate('measured')) as Seen
    const session = await this.context.newCDPSession(this.page)
    const { usedSize } = await session.send('Runtime.getHeapUsage')
    await session.detach()
    return {
      interactionsMs: Object.values(seen.interactions),
      longTasksMs: seen.longTasks,
      shifts: seen.shifts,
      heapBytes: usedSize,
    }
  }
}
