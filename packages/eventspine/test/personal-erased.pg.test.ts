// What stands where a person was erased, and where: also of older versions, and under names that hold dots (I84).
import { randomBytes } from 'node:crypto'
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { freshSchema, running, until } from './support.js'

const personalKeys = [randomBytes(32).toString('base64')]

it('what is erased of a version that only an upcaster knows stands as the newest version says, where it was carried to', async () => {
  const schema = freshSchema()
  const person = ({ who }: { who: string }) => who
  const before = defineEvent({
    type: 'shop.person',
    schema: z.object({ who: z.string(), age: z.number(), mails: z.array(z.string()) }),
    personal: { person, fields: { age: 0, 'mails.*': '' } },
  })
  const publisher = await running(defineApp({ name: 'shop', events: [before] }), schema, { personalKeys })
  await publisher.publish(before, { who: 'gus', age: 41, mails: ['gus@example.com'] })
  await publisher.stop()
  const seen: unknown[] = []
  const now = defineEvent({
    type: 'shop.person',
    version: 2,
    schema: z.object({
      who: z.string(),
      years: z.number(),
      contacts: z.array(z.object({ mail: z.string() })),
    }),
    upcast: {
      1: ({ who, age, mails }: { who: string; age: number; mails: string[] }) => ({
        ...{ who, years: age, contacts: mails.map((mail) => ({ mail })) },
      }),
    },
    personal: { person, fields: { years: -1, 'contacts.*.mail': 'erased@invalid.example' } },
  })
  const reads = defineSubscription({
    ...{ name: 'reads', on: now, start: 'beginning', external: false },
    handle: ({ data }) => void seen.push(data),
  })
  const spine = await running(defineApp({ name: 'shop', subscriptions: [reads] }), schema, { personalKeys })
  const mail = (text: string) => ({ contacts: [{ mail: text }] })
  await until(() => seen.length === 1)
  await spine.personal.erase('gus', { actor: 'ida' })
  await spine.operator().replay({ subscription: 'reads', actor: 'ida' })
  await until(() => seen.length === 2)
  expect(seen).toEqual([
    { who: 'gus', years: 41, ...mail('gus@example.com') },
    { who: 'gus', years: -1, ...mail('erased@invalid.example') },
  ])
})

it('knows its place where names of members hold dots', async () => {
  const marked = defineEvent({
    type: 'shop.marked',
    schema: z.object({ who: z.string(), marks: z.record(z.string(), z.number()) }),
    personal: { person: ({ who }) => who, fields: { 'marks.*': 0 } },
  })
  const seen: unknown[] = []
  const reads = defineSubscription({
    ...{ name: 'reads', on: marked, external: false },
    handle: ({ data }) => void seen.push(data.marks),
  })
  const spine = await running(defineApp({ name: 'shop', subscriptions: [reads] }), freshSchema(), {
    personalKeys,
  })
  await spine.publish(marked, { who: 'eve', marks: { 'v1.2': 6, 'a~b.c': 7, maths: 5 } })
  await until(() => seen.length === 1)
  await spine.personal.erase('eve', { actor: 'ida' })
  await spine.operator().replay({ subscription: 'reads', actor: 'ida' })
  await until(() => seen.length === 2)
  expect(seen).toEqual([
    { 'v1.2': 6, 'a~b.c': 7, maths: 5 },
    { 'v1.2': 0, 'a~b.c': 0, maths: 0 },
  ])
})

it('a list of fields is refused: each says what stands there once it is erased', () => {
  const listed = defineEvent({
    type: 'shop.listed',
    schema: z.object({ who: z.string(), email: z.string() }),
    personal: { person: ({ who }) => who, fields: ['email'] as never },
  })
  expect(() => defineApp({ name: 'shop', events: [listed] })).toThrow(/write \{ "email": null \}/)
})
