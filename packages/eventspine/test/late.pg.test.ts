// A handler that blocks the event loop past its deadline: the timer could not fire, and its end is late all the same.
import { setTimeout as delay } from 'node:timers/promises'
import { defineApp, defineEvent, defineSubscription, retries } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { afterTest, freshSchema, quiet, running, until } from './support.js'

const told = defineEvent({ type: 'tests.told', schema: z.object({ blockMs: z.number() }) })
const heard = defineEvent({ type: 'tests.heard', schema: z.object({}) })
const deadlineMs = 200
const block = (ms: number) => {
  for (const end = performance.now() + ms; performance.now() < end; );
}

it.each(['plain', 'transactional'])('counts the late end of a %s handler as a timeout', async (kind) => {
  const policies = {
    name: 'slow',
    on: told,
    deadlineMs,
    retry: retries.standard({ attemptsMax: 2, timeScale: 0.001 }),
  } as const
  const slow =
    kind === 'plain'
      ? defineSubscription({
          ...policies,
          handle({ data }, context) {
            void context.publish(heard, {})
            block(data.blockMs)
          },
        })
      : defineSubscription({ ...policies, transact: async ({ data }) => block(data.blockMs) })
  const spine = await running(
    defineApp({ name: 'tests', events: [told, heard], subscriptions: [slow] }),
    freshSchema(),
  )
  await spine.publish(told, { blockMs: deadlineMs + 50 })
  await spine.publish(told, { blockMs: 0 })
  await quiet(spine)
  const letters = (await spine.operator().deadLetters()).items
  expect(letters).toMatchObject([
    { attempts: 2, failure: { category: 'timeout', message: expect.stringContaining(`${deadlineMs} ms`) } },
  ])
  const [view] = await spine.operator().subscriptions()
  expect(view).toMatchObject({ completed: 1, dead: 1 })
  const published = (await spine.operator().events({ type: 'tests.heard' })).items
  expect(published).toHaveLength(kind === 'plain' ? 1 : 0)
})

it('takes what a late handler rejects afterwards: it would end the process', async () => {
  const unhandled: unknown[] = []
  const listen = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', listen)
  afterTest(async () => void process.off('unhandledRejection', listen))
  let ended = false
  const slow = defineSubscription({
    name: 'slow',
    on: told,
    deadlineMs,
    retry: retries.standard({ attemptsMax: 1 }),
    async handle({ data }, context) {
      block(data.blockMs)
      try {
        await delay(20)
        await context.publish(heard, {})
      } finally {
        ended = true
      }
    },
  })
  const spine = await running(
    defineApp({ name: 'tests', events: [told, heard], subscriptions: [slow] }),
    freshSchema(),
  )
  await spine.publish(told, { blockMs: deadlineMs + 50 })
  await until(() => ended)
  await quiet(spine)
  expect(unhandled).toEqual([])
  expect((await spine.operator().deadLetters()).items).toMatchObject([{ failure: { category: 'timeout' } }])
})
