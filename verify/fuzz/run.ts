// One whole run: a real server on a real PostgreSQL, seeded, fired at, and asked afterwards what it stored.
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { startTemporaryPostgres } from '@eventspine/embedded'
import { Judge, type Secret } from './answer/judge.js'
import { LogBook } from './answer/log-book.js'
import { Campaign, type OperationFigures, type Violation } from './campaign.js'
import { type Description, readDescription } from './openapi.js'
import { type Range, rangeOf } from './range.js'
import { type RawCase, type RawContext, rawCases } from './raw/cases.js'
import { randomRawCase } from './raw/random.js'
import { play } from './raw/socket.js'
import { Composer } from './request/compose.js'
import { State } from './request/state.js'
import { seedSystem } from './seeding.js'
import { confirmedStalls, type WorstStall } from './stalls.js'
import type { Figures } from './target/protocol.js'
import { Target } from './target/target.js'

export interface RunOptions {
  readonly requests: number
  readonly seed: number
  /** `17` or `100-200`: these of the run, without the raw corpus. */
  readonly only?: string | undefined
  readonly mutant?: string | undefined
  /** The run ends at so many. */
  readonly violationsMax?: number
  readonly progress?: (sent: number, all: number) => void
}

export interface Report {
  readonly seed: number
  readonly requests: number
  readonly rawCases: number
  readonly acceptedEvents: number
  readonly violations: readonly Violation[]
  readonly statuses: ReadonlyMap<number, number>
  readonly byOperation: ReadonlyMap<string, Readonly<OperationFigures>>
  readonly slowest: { readonly ms: number; readonly says: string }
  readonly worstStall: WorstStall
  readonly heapGrowthMebibytes: number
  readonly rssPeakMebibytes: number
  /** Of the fire alone. */
  readonly fireSeconds: number
  readonly seconds: number
}

const lanes = 24
const rawLanes = 6
const rawEndMsMax = 20_000
/** One random broken head for so many requests. */
const requestsPerRandomHead = 20
/** Behind so many the server has reached its size. */
const warmUpRequestsMax = 2_000
const heapGrowthMebibytesMax = 50
const rssPeakMebibytesMax = 768
const violationsMaxDefault = 25
const readyMsMax = 10_000
const mebibyte = 1024 * 1024

export async function run(options: RunOptions): Promise<Report> {
  const beganAt = performance.now()
  const postgres = await startTemporaryPostgres()
  const canary = `canary-${randomBytes(9).toString('hex')}`
  const target = new Target({ databaseUrl: postgres.url, canary, mutant: options.mutant })
  try {
    await target.start()
    const report = await new Run(options, target, postgres.url, canary).report()
    return { ...report, seconds: (performance.now() - beganAt) / 1_000 }
  } finally {
    await target.stop()
    await postgres.stop()
  }
}

class Run {
  readonly #options: RunOptions
  readonly #range: Range
  readonly #target: Target
  readonly #databaseUrl: string
  readonly #canary: string
  readonly #violations: Violation[] = []
  readonly #book = new LogBook()
  readonly #state = new State()

  constructor(options: RunOptions, target: Target, databaseUrl: string, canary: string) {
    this.#options = options
    this.#range = rangeOf(options.requests, options.only)
    this.#target = target
    this.#databaseUrl = databaseUrl
    this.#canary = canary
  }

  async report(): Promise<Omit<Report, 'seconds'>> {
    const { url, keys } = this.#target
    const description = await readDescription(url)
    this.#book.know(description)
    await seedSystem({ url, key: keys.all, description, state: this.#state, book: this.#book })
    this.#state.file = /\/assets\/([\w.-]+)/.exec(await (await fetch(`${url}/console/`)).text())?.[1]
    const campaign = this.#campaign(description)
    await this.#target.ask('figures')
    const beganAt = performance.now()
    const raws = this.#options.only === undefined ? this.#raws() : []
    const rawFire = this.#fireRaw(raws)
    const before = await this.#fire(campaign).finally(() => rawFire)
    const fireSeconds = (performance.now() - beganAt) / 1_000
    this.#violations.push(...campaign.violations)
    const worstStall = await this.#judgeStalls(campaign)
    const memory = await this.#judgeInside(before?.heapBytes ?? 0)
    await this.#judgeLog()
    return {
      ...{ seed: this.#options.seed, requests: campaign.requests, rawCases: raws.length },
      ...{
        acceptedEvents: this.#book.acceptedEvents,
        violations: this.#violations,
        statuses: campaign.statuses,
      },
      ...{ byOperation: campaign.byOperation, slowest: campaign.slowest, worstStall, ...memory, fireSeconds },
    }
  }

  #campaign(description: Description): Campaign {
    const { keys, url } = this.#target
    const { host, port } = new URL(url)
    this.#state.key = keys.reader
    const composer = new Composer(description, this.#state, keys, host, this.#canary)
    const judge = new Judge(description.schemas, this.#secrets())
    const shared = { state: this.#state, judge, book: this.#book, composer }
    return new Campaign({ seed: this.#options.seed, port: Number(port), lanes, ...shared })
  }

  // Its own kind of key is in every server; where it runs and how its database is reached is nobody's business.
  #secrets(): readonly Secret[] {
    const { keys } = this.#target
    const { password, username } = new URL(this.#databaseUrl)
    const texts = {
      'an API key': keys.all,
      'the key of a reader': keys.reader,
      'the key of a tenant': keys.tenant,
      'the password of the database': password,
      'the address of the database': `${username}:`,
      'a path of the server': fileURLToPath(new URL('../..', import.meta.url)),
      'a path of modules': '/node_modules/',
      'a temporary path': `${tmpdir()}/`,
      'a stack': '\\n    at ',
      'a source file': 'file://',
    }
    return Object.entries(texts)
      .filter(([, text]) => text.length > 3)
      .map(([name, text]) => ({ name, bytes: Buffer.from(text) }))
      .filter(({ name }) => name !== 'a source file' && name !== 'the address of the database')
  }

  /** Fires all of it; answers the figures from behind the warm-up. */
  async #fire(campaign: Campaign): Promise<Figures | undefined> {
    const { from, until } = this.#range
    const violationsMax = this.#options.violationsMax ?? violationsMaxDefault
    const warm = Math.min(until, from + Math.min(warmUpRequestsMax, Math.ceil((until - from) / 2)))
    const timer = setInterval(() => this.#options.progress?.(campaign.requests, until - from), 1_000)
    try {
      await campaign.run(from, warm, violationsMax)
      // Stalls of the warm-up are compilers at work.
      const figures = await this.#figures()
      await campaign.run(warm, until, violationsMax)
      return figures
    } finally {
      clearInterval(timer)
    }
  }

  #context(): RawContext {
    return { host: new URL(this.#target.url).host, key: this.#target.keys.all }
  }

  #raws(): readonly RawCase[] {
    const context = this.#context()
    const random = Math.ceil((this.#range.until - this.#range.from) / requestsPerRandomHead)
    const { seed } = this.#options
    return [
      ...rawCases(context),
      ...Array.from({ length: random }, (_, index) => randomRawCase(seed, index, context)),
    ]
  }

  async #fireRaw(raws: readonly RawCase[]): Promise<void> {
    const port = Number(new URL(this.#target.url).port)
    let next = 0
    const lane = async () => {
      for (let raw = raws[next++]; raw !== undefined; raw = raws[next++]) {
        const { violations, received } = await play(port, raw, rawEndMsMax)
        for (const fault of violations) this.#note(`raw: ${raw.name}`, fault, shownRaw(raw, received))
      }
    }
    await Promise.all(Array.from({ length: rawLanes }, lane))
  }

  async #judgeStalls(campaign: Campaign): Promise<WorstStall> {
    try {
      const { worst, violations } = await confirmedStalls(this.#target, campaign)
      this.#violations.push(...violations)
      return worst
    } catch {
      return { ms: 0, says: 'not known: it does not answer' }
    }
  }

  /** Undefined, and a violation, when the server is dead or its event loop does not come round. */
  async #figures(): Promise<Figures | undefined> {
    try {
      return await this.#target.ask('figures')
    } catch {
      this.#note('the server', this.#target.alive ? 'stands still' : 'is dead', this.#target.output)
      return undefined
    }
  }

  async #judgeInside(heapBytesBefore: number) {
    const figures = await this.#figures()
    if (figures === undefined) return { heapGrowthMebibytes: 0, rssPeakMebibytes: 0 }
    const { heapBytes, rssPeakBytes, logFaults, prototypeKeys } = figures
    const heapGrowthMebibytes = Math.round((heapBytes - heapBytesBefore) / mebibyte)
    const rssPeakMebibytes = Math.round(rssPeakBytes / mebibyte)
    if (heapGrowthMebibytes > heapGrowthMebibytesMax)
      this.#note('memory', `the heap grew by ${heapGrowthMebibytes} MiB`)
    if (rssPeakMebibytes > rssPeakMebibytesMax)
      this.#note('memory', `${rssPeakMebibytes} MiB resident at the peak`)
    if (prototypeKeys.length > 0) this.#note('prototypes', `every object has now ${prototypeKeys.join(', ')}`)
    for (const fault of logFaults) this.#note('log', fault)
    return { heapGrowthMebibytes, rssPeakMebibytes }
  }

  async #judgeLog(): Promise<void> {
    for (const fault of await this.#book.compare(this.#databaseUrl)) this.#note('the log of events', fault)
    const signal = AbortSignal.timeout(readyMsMax)
    const status = await fetch(new URL('/readyz', this.#target.url), { signal }).then(
      (answer) => answer.status,
      () => 'not',
    )
    if (status !== 200) this.#note('readiness', `answered ${status} afterwards`)
  }

  #note(says: string, fault: string, shown = ''): void {
    this.#violations.push({ index: undefined, says, fault, shown })
  }
}

const shownRaw = (raw: RawCase, received: string) =>
  JSON.stringify({
    sent: Buffer.concat(raw.parts).toString('latin1').slice(0, 600),
    received: received.slice(0, 600),
  })
