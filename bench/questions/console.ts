// Is the console quick with 100,000 dead letters, while 10,000 events a second go by and three of its pages are open beside? Targets:
// something is painted within a second of a first visit, with nothing in the cache, and of all keys, clicks and letters typed 99 % are
// painted within 100 ms. A real Chromium before a real `eventspine start`; all share the machine.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { alternate, atMost, medianOf, type Question, type Sample } from '../core/answer.js'
import { openChromium, reportedMsMin, requireChromium, Tab } from '../core/browser.js'
import type { Lab } from '../core/lab.js'
import { monotonicMs } from '../core/payload.js'
import { type Run, wholePart } from '../core/run.js'
import { tied } from '../core/tied.js'

const question = 'console'
const streamPerSecond = 10_000
const pollMs = 200
const stillMsMax = 60_000
const command = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url))
const app = fileURLToPath(new URL('./console-app.mjs', import.meta.url))
const publisher = fileURLToPath(new URL('./console-run.mjs', import.meta.url))
const units = {
  ...{ 'first paint': 'ms', 'overview shown': 'ms', scripts: 'KiB' },
  ...{ 'interaction p50': 'ms', 'interaction p99': 'ms', 'interaction max': 'ms', interactions: 'count' },
  ...{ 'long tasks': 'count', 'longest task': 'ms', 'live long tasks': 'count', 'live longest task': 'ms' },
  ...{ 'live heap': 'MiB', 'layout shift': 'score', published: 'events/s' },
}

export const webConsole: Question = {
  name: question,
  title: 'The console with 100,000 dead letters, and 10,000 events/s going by',
  async measure(lab) {
    requireChromium()
    const figures = await alternate(lab, question, units, [{ system: 'eventspine', run: () => looked(lab) }])
    const reached = (metric: string) => medianOf(figures, 'eventspine', metric)
    return {
      figures,
      verdicts: [
        atMost(
          question,
          'first contentful paint <= 1,000 ms, nothing in the cache',
          reached('first paint'),
          1_000,
        ),
        atMost(question, 'p99 of interactions <= 100 ms', reached('interaction p99'), 100),
        atMost(question, 'layout shift <= 0.1 on each page', reached('layout shift'), 0.1),
      ],
      settings: { letters: lettersOf(lab), streamPerSecond },
    }
  },
}

const lettersOf = ({ options: { scale } }: Lab) => scale.peerBacklogEvents

function looked(lab: Lab): Promise<Sample> {
  const part = { ...wholePart, publishes: false, works: false, subscriptions: 0 }
  return lab.run('eventspine', part, async (run) => {
    const children: ChildProcess[] = []
    let browser: Browser | undefined
    try {
      const place = await started(lab, run, children)
      await begun([publisher, run.place.databaseUrl, 'letters', String(lettersOf(lab))], children).ended
      await dead(run, lettersOf(lab))
      browser = await openChromium()
      const first = await firstVisit(browser, place)
      const stream = begun([publisher, run.place.databaseUrl, 'stream', String(streamPerSecond)], children)
      await stream.says('')
      return { ...first, ...(await used(browser, place, stream)) }
    } finally {
      await browser?.close()
      await Promise.all(children.map(stopped))
    }
  })
}

interface Place {
  readonly url: string
  readonly key: string
}

/** `eventspine start`: a worker, and the API with the console. */
async function started(lab: Lab, run: Run, children: ChildProcess[]): Promise<Place> {
  const keys = join(lab.directory, 'keys.json')
  const made = begun(
    [command, 'keys', 'create', '--file', keys, '--name', 'bench', '--scopes', 'read,operate', '--json'],
    children,
  )
  const key = valueOf('key', await made.line('"key"'))
  const start = begun([command, 'start', '--app', app, '--port', '0', '--keys', keys, '--json'], children, {
    DATABASE_URL: run.place.databaseUrl,
  })
  return { url: valueOf('url', await start.line('"url"')), key }
}

/** Of a line of JSON. */
const valueOf = (name: string, line: string) => new RegExp(`"${name}": ?"([^"]+)"`).exec(line)?.[1] ?? ''

async function firstVisit(browser: Browser, { url, key }: Place): Promise<Sample> {
  const tab = await Tab.open(browser)
  await tab.page.goto(`${url}/console/#key=${key}`)
  const paint = await tab.firstPaintMs()
  await tab.page.getByRole('region', { name: 'Dead letters' }).waitFor()
  const shown = Number(await tab.page.evaluate('performance.now()'))
  const bytes = await tab.scriptBytes()
  await tab.context.close()
  return { 'first paint': paint, 'overview shown': shown, scripts: bytes / 1024 }
}

/** A person goes through it, while the overview, the map and the stream of events are open in windows beside. */
async function used(browser: Browser, { url, key }: Place, stream: Child): Promise<Sample> {
  const tab = await Tab.open(browser)
  await tab.page.goto(`${url}/console/#key=${key}`)
  await tab.page.getByRole('region', { name: 'Dead letters' }).waitFor()
  const beside = await Promise.all(
    ['', 'map', 'events?live=1'].map(async (path) => {
      const own = await Tab.in(tab.context)
      await own.page.goto(`${url}/console/${path}`)
      return own
    }),
  )
  const live = beside.at(-1) as Tab
  await live.page.getByText('left out').waitFor()
  const [before, beganAtMs] = [Number(await stream.says('')), monotonicMs()]
  await tab.page.bringToFront()
  const interactions = await walked(tab.page)
  const published = ((Number(await stream.says('')) - before) * 1_000) / (monotonicMs() - beganAtMs)
  const own = await tab.measured()
  const others = await Promise.all(beside.map((each) => each.measured()))
  const seen = others.at(-1)
  await tab.context.close()
  return {
    ...percentiles(own.interactionsMs, interactions),
    'long tasks': own.longTasksMs.length,
    'longest task': Math.max(0, ...own.longTasksMs),
    'live long tasks': seen?.longTasksMs.length ?? Number.NaN,
    'live longest task': Math.max(0, ...(seen?.longTasksMs ?? [])),
    'live heap': (seen?.heapBytes ?? Number.NaN) / 2 ** 20,
    'layout shift': Math.max(own.shifts, ...others.map(({ shifts }) => shifts)),
    published,
  }
}

/** Those that are not reported took less than that. */
function percentiles(reportedMs: readonly number[], count: number): Sample {
  const short = Array<number>(Math.max(0, count - reportedMs.length)).fill(reportedMsMin)
  const sorted = [...short, ...reportedMs].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN
  return {
    ...{ 'interaction p50': at(0.5), 'interaction p99': at(0.99), 'interaction max': at(1) },
    interactions: sorted.length,
  }
}

const pages = ['Redrives', 'Events', 'Subscriptions', 'Workers', 'Audit', 'Map', 'Overview'] as const
/** Between two keys of somebody who types fast. */
const keyMs = 60

/** Answers how many keys and clicks it took. */
async function walked(page: Page): Promise<number> {
  let count = 0
  const press = async (key: string, times = 1) => {
    for (let at = 0; at < times; at++) await page.keyboard.press(key, { delay: keyMs / 2 })
    count += times
  }
  const click = async (role: 'link' | 'button', name: string | RegExp) => {
    await page.getByRole(role, { name }).first().click()
    count += 1
  }
  const type = async (label: string, text: string) => {
    await page.getByLabel(label).click()
    await page.keyboard.type(text, { delay: keyMs })
    count += text.length + 1
  }
  const rows = page.locator('.rows[aria-busy="false"] tbody a')
  for (let round = 0; round < 3; round++) {
    await click('link', /^Dead letters$/)
    await rows.first().waitFor()
    await press('j', 20)
    await press('k', 10)
    await press('Enter')
    await page.getByRole('button', { name: 'Redrive…' }).waitFor()
    await rows.first().waitFor()
    await press('j', 40)
    await press('Enter')
    await page.getByRole('region', { name: 'Failure' }).waitFor()
    await page.goBack()
    await rows.first().waitFor()
    await type('Error contains', 'carrier')
    await press('Enter')
    await rows.first().waitFor()
    await page.getByLabel('Category').selectOption('permanent')
    await click('button', 'Search')
    await rows.first().waitFor()
    await click('button', 'Redrive…')
    await page.getByRole('button', { name: /^Redrive [\d,]+ dead letters/ }).waitFor()
    await press('Escape')
    for (const name of pages) {
      await click('link', new RegExp(`^${name}$`))
      await page.getByRole('heading', { level: 1, name }).waitFor()
      await page.locator('.waiting').waitFor({ state: 'detached' })
    }
  }
  return count
}

interface Child {
  /** Resolves with the answer to a line. */
  says(line: string): Promise<string>
  /** Resolves with the first line that has this in it. */
  line(text: string): Promise<string>
  readonly ended: Promise<void>
}

function begun(
  parameters: readonly string[],
  children: ChildProcess[],
  environment: Record<string, string> = {},
): Child {
  const child = tied(
    spawn(process.execPath, parameters, {
      // What it logs, a line for each letter and request, nobody reads.
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: 'production', ...environment },
    }),
  )
  children.push(child)
  let told: (line: string) => void = () => {}
  createInterface({ input: child.stdout }).on('line', (line) => told(line))
  const name = parameters.find((each) => each.endsWith('.mjs') || each.endsWith('.js'))
  const ended = once(child, 'exit').then(([code]) => {
    if (code !== 0) throw new Error(`${name} ended with ${code}`)
  })
  // It is told to whoever waits for it.
  ended.catch(() => {})
  const next = (fits: (line: string) => boolean) =>
    Promise.race([
      ended.then(() => {
        throw new Error(`${name} ended`)
      }),
      new Promise<string>((resolve) => {
        told = (line) => fits(line) && resolve(line)
      }),
    ])
  return {
    async says(line) {
      const answer = next(() => true)
      child.stdin.write(`${line}\n`)
      return await answer
    },
    line: (text) => next((line) => line.includes(text)),
    ended,
  }
}

// Not by force: `start` ends its own processes first.
async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const end = once(child, 'exit')
  child.kill('SIGTERM')
  await end
}

/** Resolves when so many letters lie there, by the product's own path. */
async function dead(run: Run, letters: number): Promise<void> {
  for (let before = -1, movedAtMs = monotonicMs(); ; await delay(pollMs)) {
    const [row] = await run.sql<{ count: number }>(
      `SELECT count(*)::float8 AS count FROM eventspine.dead_letter WHERE state = 'dead'`,
    )
    const count = row?.count ?? 0
    if (count >= letters) return
    if (count !== before) movedAtMs = monotonicMs()
    before = count
    if (monotonicMs() - movedAtMs > stillMsMax)
      throw new Error(`${letters - count} of ${letters} letters never died`)
  }
}
