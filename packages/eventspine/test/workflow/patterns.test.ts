// The patterns of docs/guides/patterns.md, as they stand there.
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { publishing, scenario, sideEffects, starting } from 'eventspine/testing'
import { workflow } from 'eventspine/workflow'
import { expect, test } from 'vitest'
import { z } from 'zod'

const only = <Item>(items: readonly Item[]): Item => {
  expect(items).toHaveLength(1)
  return items[0] as Item
}

const uploaded = defineEvent({
  type: 'pictures.uploaded',
  schema: z.object({ picture: z.string(), pages: z.int() }),
  key: ({ picture }) => picture,
})

test('function chain: each step is given what the one before it answered', async () => {
  const publishPicture = workflow({
    name: 'publish-picture',
    on: { event: uploaded, id: ({ data }) => data.picture },
    run: async (ctx, { picture }: { readonly picture: string }) => {
      const small = await ctx.step('shrink', () => `${picture} small`)
      const signed = await ctx.step('sign', () => `${small} signed`)
      return await ctx.step('store', () => `${signed} stored`)
    },
  })
  const seen = await scenario(defineApp({ name: 'pictures', workflows: [publishPicture] })).when(
    publishing(uploaded, { picture: 'cat', pages: 1 }),
  )
  expect(only(seen.workflows).output).toBe('cat small signed stored')
})

test('fan-out and fan-in: so many at once, and all of them before it goes on (I55)', async () => {
  let running = 0
  let most = 0
  const ocr = workflow({
    name: 'read-pages',
    run: async (ctx, { pages }: { readonly pages: number }) => {
      const numbers = Array.from({ length: pages }, (_, page) => page + 1)
      const words = await ctx.map(
        numbers,
        (page, own) =>
          own.step(`read page ${page}`, async () => {
            most = Math.max(most, ++running)
            await Promise.resolve()
            running--
            return page * 100
          }),
        { concurrency: 4 },
      )
      return words.reduce((sum, each) => sum + each, 0)
    },
  })
  const seen = await scenario(defineApp({ name: 'pictures', workflows: [ocr] })).when(
    starting(ocr, { pages: 20 }),
  )
  expect(only(seen.workflows).output).toBe(21_000)
  expect(most).toBeLessThanOrEqual(4)
  const steps = only(seen.workflows).history.filter(({ kind }) => kind === 'step-done')
  expect(new Set(steps.map(({ place }) => place)).size).toBe(20)
})

test('event fork: one event, and each that reacts does so on its own', async () => {
  const effects = sideEffects()
  const reacting = (name: string, fails = false) =>
    defineSubscription({
      name,
      on: uploaded,
      handle: ({ data }) => {
        if (fails) throw new TypeError(`${name} is broken`)
        effects.record(name, data.picture)
      },
    })
  const app = defineApp({
    name: 'pictures',
    subscriptions: [reacting('thumbnail'), reacting('index', true), reacting('notify')],
  })
  const seen = await scenario(app, { sideEffects: effects }).when(
    publishing(uploaded, { picture: 'cat', pages: 1 }),
  )
  expect(seen.sideEffects.map(({ name }) => name).sort()).toEqual(['notify', 'thumbnail'])
  expect(only(seen.deadLetters)).toMatchObject({ subscription: 'index' })
})

test('claim check: a large answer travels as a reference, and arrives whole', async () => {
  const scan = workflow({
    name: 'scan',
    run: async (ctx) => {
      const picture = await ctx.step('scan', () => 'x'.repeat(150_000))
      await ctx.sleep(3_600_000)
      return await ctx.step('measure', () => picture.length)
    },
  })
  const seen = await scenario(defineApp({ name: 'pictures', workflows: [scan] })).when(
    starting(scan, undefined),
  )
  expect(only(seen.workflows).output).toBe(150_000)
  const bytes = JSON.stringify(only(seen.workflows).history).length
  expect(bytes).toBeLessThan(5_000)
})
