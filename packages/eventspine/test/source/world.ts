// A worker that runs a source of a test's, in virtual time and on a store in memory.
import { defineApp, defineEvent } from 'eventspine'
import { type CustomSourceOptions, customSource, type SourceRun } from 'eventspine/source'
import { expect } from 'vitest'
import { z } from 'zod'
import { seededRandom } from '../../src/kernel/index.js'
import { VirtualClock } from '../../src/kernel/virtual-clock.js'
import { jsonLogger } from '../../src/observe/log.js'
import { Eventspine } from '../../src/runtime/eventspine.js'
import { createMemoryClaims } from '../../src/store/memory/claim.js'
import { createMemoryStore, type MemoryStore } from '../../src/store/memory/index.js'

export const noted = defineEvent({ type: 'tests.noted', schema: z.object({ n: z.int() }) })
export const dayMs = 86_400_000

export class World {
  readonly clock = new VirtualClock()
  readonly random = seededRandom(1)
  readonly store: MemoryStore = createMemoryStore({
    ...{ clock: this.clock, random: this.random, idempotencyWindowMs: dayMs },
  })
  readonly logged: { message: string; failures?: number; pauseMs?: number; error?: { message: string } }[] =
    []

  /** A worker of its own on the shared store, which `change` may stand before. */
  worker(
    run: (run: SourceRun) => Promise<void>,
    {
      where = 'every-worker',
      inFlightMax = 2,
      hold = async () => {},
      to = async (message) => {
        await hold()
        return { event: noted, data: message.json() }
      },
      change = {},
      sources = true,
    }: Given = {},
  ): Eventspine {
    const source = customSource({ name: 'queue', where, inFlightMax, to, run })
    return new Eventspine(
      defineApp({ name: 'tests', events: [noted], sources: [source] }),
      {
        ...{ databaseUrl: 'memory:', stalledMs: 0, sources },
        logger: jsonLogger('warn', this.clock.now.bind(this.clock), (line) =>
          this.logged.push(JSON.parse(line)),
        ),
      },
      {
        ...{ clock: this.clock, random: this.random },
        storeOf: () => ({ store: { ...this.store, ...change }, claim: createMemoryClaims(this.clock) }),
      },
    )
  }

  async ended<Answer>(work: Promise<Answer>, msMax = dayMs): Promise<Answer> {
    let over = false
    void work.then(
      () => (over = true),
      () => (over = true),
    )
    expect(await this.clock.runUntil(() => over, msMax)).toBe(true)
    return work
  }

  async until(condition: () => boolean | Promise<boolean>, msMax = 60_000): Promise<void> {
    expect(await this.clock.runUntil(condition, msMax)).toBe(true)
  }
}

interface Given {
  readonly where?: 'every-worker' | 'one-worker'
  readonly inFlightMax?: number
  readonly hold?: () => Promise<void>
  readonly to?: CustomSourceOptions['to']
  readonly change?: Partial<MemoryStore>
  readonly sources?: boolean
}

export const untilAborted = ({ signal }: SourceRun) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))

export const message = (n: number) => ({ body: JSON.stringify({ n }) })
