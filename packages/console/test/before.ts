// What the tests of a file or block begin with: a world, a browser before it, and mostly an admin who is signed in.
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { hasChromium, openBrowser, Visit } from './browser.js'
import type { World } from './world.js'

interface Opened {
  /** Somebody else: a page with a session of its own. Whoever opens it closes it. */
  readonly open: (options?: BrowserContextOptions, visit?: Visit) => Promise<Visit>
}

type Prepare = () => Promise<unknown>

/** Starts both, once for all tests beside it, and ends them. `prepare`: what there is in the world before the first of them. */
export function browserBefore(world: World, prepare: Prepare = async () => {}): Opened {
  let browser: Browser | undefined
  beforeAll(async () => {
    if (!hasChromium) return
    ;[browser] = await Promise.all([openBrowser(), world.start()])
    await prepare()
  })
  afterAll(async () => {
    if (!hasChromium) return
    await browser?.close()
    await world.stop()
  })
  return {
    open: async (options, visit) => {
      if (browser === undefined) throw new Error('The browser is opened before the first test.')
      return Visit.open(browser, options, visit)
    },
  }
}

interface AdminOptions extends BrowserContextOptions {
  readonly prepare?: Prepare
}

/** The same, with an admin who stays signed in for all of them. */
export function adminBefore(
  world: World,
  { prepare, ...options }: AdminOptions = {},
): Opened & { readonly visit: Visit } {
  const visit = new Visit()
  const opened = browserBefore(world, prepare)
  beforeAll(async () => {
    if (!hasChromium) return
    await opened.open(options, visit)
    await visit.signIn(world.url, world.key)
  })
  afterAll(() => (hasChromium ? visit.close() : undefined))
  return { ...opened, visit }
}
