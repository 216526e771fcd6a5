// Personal data: enciphered in all that the store keeps, plain for handlers, and gone once a person is erased (I84).
import { randomBytes } from 'node:crypto'
import {
  defineApp,
  defineEvent,
  defineSubscription,
  Eventspine,
  type EventspineOptions,
  ValidationError,
} from 'eventspine'
import { webhook } from 'eventspine/source'
import { webhooksOut } from 'eventspine/webhooks'
import { workflow } from 'eventspine/workflow'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { afterTest, databaseUrl, freshSchema, quiet, running, sql, until } from './support.js'

const masterKey = randomBytes(32).toString('base64')
const personalKeys = [masterKey]
const registered = defineEvent({
  type: 'shop.customer-registered',
  schema: z.object({
    customer: z.string(),
    email: z.email(),
    address: z.object({ street: z.string(), city: z.string() }).optional(),
    phones: z.array(z.object({ number: z.string(), kind: z.string() })).default([]),
    note: z.string().optional(),
  }),
  key: ({ customer }) => customer,
  personal: {
    person: ({ customer }) => customer,
    fields: { email: 'erased@invalid.example', 'address.street': '', 'phones.*.number': '' },
  },
})
const ada = {
  customer: 'c-1',
  email: 'ada@example.com',
  address: { street: '1 Secret Lane', city: 'London' },
  phones: [{ number: '555-0100', kind: 'home' }],
}
const secrets = ['ada@example.com', 'Secret Lane', '555-0100']

type Seen = {
  readonly email: string
  readonly note?: string | undefined
  readonly address?: { readonly street: string } | undefined
}

async function shop(options: Partial<EventspineOptions> = {}, schema = freshSchema()) {
  const seen: Seen[] = []
  let broken = false
  const app = defineApp({
    name: 'shop',
    events: [registered],
    subscriptions: [
      defineSubscription({
        name: 'mails',
        on: registered,
        handle: ({ data }) => {
          if (broken) throw new ValidationError('the mail server is gone')
          seen.push(data)
        },
      }),
    ],
  })
  const spine = await running(app, schema, { personalKeys, ...options })
  return {
    ...{ schema, spine, seen, app },
    breakHandler: (value: boolean) => {
      broken = value
    },
  }
}

/** Every text of every table of the schema. */
async function dumped(schema: string): Promise<string> {
  const tables = await sql<{ name: string }>(
    `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = '${schema}'`,
  )
  const rows = await Promise.all(
    tables.map(({ name }) => sql(`SELECT t::text AS row FROM ${schema}.${name} t`)),
  )
  return JSON.stringify(rows)
}

it('is nowhere in the database, and plain for handlers', async () => {
  const { spine, schema, seen, breakHandler } = await shop()
  await spine.publish(registered, ada)
  await quiet(spine)
  expect(seen).toEqual([{ ...ada, phones: ada.phones }])
  breakHandler(true)
  const { id } = await spine.publish(registered, { ...ada, note: 'x'.repeat(100_000) })
  await until(async () => (await spine.operator().deadLetters()).items.length === 1)
  const dump = await dumped(schema)
  for (const secret of secrets) expect(dump).not.toContain(secret)
  expect(dump).toContain('London')
  // What operators see, is what lies there.
  const shown = JSON.stringify([await spine.operator().event(id), await spine.operator().deadLetters()])
  for (const secret of secrets) expect(shown).not.toContain(secret)
})

it('a repeat under one id is one event, judged by what is not hidden, also behind an erasure', async () => {
  const { spine, seen } = await shop()
  const options = { id: 'registration-1', source: '/tests' }
  await spine.publish(registered, ada, options)
  await spine.publish(registered, { ...ada, address: { city: 'London', street: '1 Secret Lane' } }, options)
  await expect(
    spine.publish(registered, { ...ada, address: { ...ada.address, city: 'Paris' } }, options),
  ).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' })
  await quiet(spine)
  await spine.personal.erase('c-1', { actor: 'ida' })
  await spine.publish(registered, ada, options)
  await quiet(spine)
  expect(seen).toHaveLength(1)
})

it('is gone once the person is erased, in this process and in others, with an audit row (I84)', {
  timeout: 60_000,
}, async () => {
  const { spine, schema, seen, app } = await shop()
  const other = new Eventspine(app, { databaseUrl, schema, work: false, personalKeys })
  afterTest(() => other.stop())
  await other.start()
  const exported = async () => {
    const events = []
    for await (const event of other.personal.export('c-1')) events.push(event)
    return events
  }
  await spine.publish(registered, ada)
  await spine.publish(registered, { ...ada, customer: 'c-2', email: 'bob@example.com' })
  await quiet(spine)
  expect(await exported()).toMatchObject([{ type: registered.type, key: 'c-1', data: ada }])
  expect(await spine.personal.erase('c-1', { actor: 'ida', reason: 'asked to' })).toBe(true)
  expect(await spine.personal.erase('c-1', { actor: 'ida' })).toBe(false)
  const gone = {
    ...{ customer: 'c-1', email: 'erased@invalid.example' },
    ...{ address: { street: '', city: 'London' }, phones: [{ number: '', kind: 'home' }] },
  }
  expect(await exported()).toMatchObject([{ data: gone }])
  const replay = await spine.operator().replay({ subscription: 'mails', actor: 'ida', external: true })
  await until(async () => (await spine.operator().replayStatus(replay.id))?.state === 'completed')
  expect(seen.slice(2)).toMatchObject([gone, { email: 'bob@example.com' }])
  const [audit] = (await spine.operator().audit()).items.filter(({ action }) => action === 'person.erase')
  expect(audit).toMatchObject({
    actor: 'ida',
    target: 'c-1',
    details: { reason: 'asked to', tenant: 'default' },
  })
  // Who comes again, begins anew.
  await spine.publish(registered, ada)
  await quiet(spine)
  expect(seen.at(-1)).toMatchObject({ email: 'ada@example.com' })
  expect((await exported()).map(({ data }) => (data as Seen).email)).toEqual([
    'erased@invalid.example',
    'ada@example.com',
  ])
})

it('opens for its own tenant and place alone', async () => {
  const { spine, seen } = await shop()
  await spine.publish(registered, ada)
  const [stored] = (await spine.operator().events()).items
  const sealed = stored?.data as typeof ada
  // What somebody copied out of the log is no key to it.
  await spine.publish(registered, { ...ada, customer: 'c-9', email: 'eve@example.com', note: sealed.email })
  await spine.publish(registered, { ...ada, note: sealed.address.street }, { tenant: 'other' })
  await quiet(spine)
  const notes = seen.map(({ note }) => note)
  expect(new Set(notes)).toEqual(new Set([undefined, sealed.email, sealed.address.street]))
  // Nor is a copy gone with its owner: whose event it stands in is another person.
  await spine.personal.erase('c-1', { actor: 'ida' })
  const eves = []
  for await (const { data } of spine.personal.export('c-9')) eves.push(data)
  expect(eves).toMatchObject([{ email: 'eve@example.com', note: sealed.email }])
})

it('a dead letter is edited as it lies there: what is sealed stays so, what is new is sealed', async () => {
  const { spine, schema, seen, breakHandler } = await shop()
  breakHandler(true)
  await spine.publish(registered, ada)
  await until(async () => (await spine.operator().deadLetters()).items.length === 1)
  const [letter] = (await spine.operator().deadLetters()).items
  breakHandler(false)
  const data = { ...(letter?.event.data as typeof ada), address: { street: '2 New Secret', city: 'Paris' } }
  await spine.operator().redrive({ filter: { ids: [letter?.id ?? ''] }, data, actor: 'ida' } as never)
  await until(() => seen.length === 1)
  expect(seen).toMatchObject([
    { email: 'ada@example.com', address: { street: '2 New Secret', city: 'Paris' } },
  ])
  expect(await dumped(schema)).not.toContain('New Secret')
})

it('an edit is checked as a redrive would, and leaves nothing behind: no key of another person either', async () => {
  const { spine, schema, breakHandler } = await shop()
  breakHandler(true)
  await spine.publish(registered, ada)
  await until(async () => (await spine.operator().deadLetters()).items.length === 1)
  const operator = spine.operator()
  const [letter] = (await operator.deadLetters()).items
  if (letter === undefined) throw new Error('no letter')
  const before = await dumped(schema)
  const data = letter.event.data as typeof ada
  await operator.checkEdit(letter, { ...data, customer: 'another-person', email: 'new@example.com' })
  await expect(operator.checkEdit(letter, { ...data, email: 7 })).rejects.toMatchObject({
    ...{ code: 'EVENT_INVALID', field: '/data/email' },
  })
  // What nobody but sealing would refuse.
  await expect(
    operator.checkEdit(letter, { ...data, customer: 'eve@example.com', email: 'eve@example.com' }),
  ).rejects.toMatchObject({ code: 'EVENT_INVALID' })
  expect(await sql(`SELECT 1 FROM ${schema}.personal_key WHERE person <> 'c-1'`)).toEqual([])
  expect(before).not.toContain('another-person')
  expect(await dumped(schema)).not.toContain('another-person')
})

it('a letter whose definition hides less by now is not stored plain', async () => {
  const { spine, schema, breakHandler } = await shop()
  breakHandler(true)
  await spine.publish(registered, ada)
  await until(async () => (await spine.operator().deadLetters()).items.length === 1)
  const [letter] = (await spine.operator().deadLetters()).items
  await spine.stop()
  const fewer = defineEvent({
    ...registered,
    personal: { person: registered.personal?.person ?? (() => ''), fields: { email: '' } },
  } as never)
  const later = new Eventspine(defineApp({ name: 'shop', events: [fewer] }), {
    ...{ databaseUrl, schema, work: false, contracts: false, personalKeys },
  })
  afterTest(() => later.stop())
  await later.start()
  const data = { ...(letter?.event.data as typeof ada), note: 'mended' }
  const edited = later
    .operator()
    .redrive({ filter: { ids: [letter?.id ?? ''] }, data, actor: 'ida' } as never)
  await expect(edited).rejects.toThrow(/"address.street" is enciphered/)
  for (const secret of secrets) expect(await dumped(schema)).not.toContain(secret)
})

it('a source without the key keeps no message plain: it is to come again', async () => {
  const schema = freshSchema()
  const hooks = webhook({
    name: 'signup',
    verify: () => ({ id: 'm-1' }),
    to: () => ({ event: registered, data: ada }),
  })
  const app = defineApp({ name: 'shop', events: [registered], sources: [hooks] })
  const keyless = new Eventspine(app, { databaseUrl, schema, work: false, personalKeys: [] })
  afterTest(() => keyless.stop())
  await keyless.start()
  const body = Buffer.from(JSON.stringify(ada))
  await expect(keyless.sources.receive('signup', { headers: {}, body })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  })
  for (const secret of secrets) expect(await dumped(schema)).not.toContain(secret)
})

it('large bodies lie enciphered in the object store', async () => {
  const { spine, seen } = await shop({ limits: { softLimitBytes: 1_000 } } as never)
  await spine.publish(registered, { ...ada, note: 'n'.repeat(5_000) })
  await quiet(spine)
  expect(seen).toMatchObject([{ email: 'ada@example.com' }])
  const [event] = (await spine.operator().events()).items
  expect(JSON.stringify(event)).not.toContain('ada@')
})

it('waits for the key it was enciphered with, and goes over to another', { timeout: 60_000 }, async () => {
  const { spine, schema, app } = await shop()
  await spine.publish(registered, ada)
  await quiet(spine)
  await spine.stop()
  const publisher = new Eventspine(app, { databaseUrl, schema, work: false, personalKeys })
  afterTest(() => publisher.stop())
  await publisher.start()
  const fresh = randomBytes(32).toString('base64')
  const lost = await shop({ personalKeys: [fresh] }, schema)
  await publisher.publish(registered, ada)
  await until(async () => (await publisher.operator().subscriptions())[0]?.retrying === 1)
  expect(lost.seen).toEqual([])
  const judged = async (by: Eventspine) =>
    (await by.operator().doctor()).findings.filter(({ subject }) => subject === 'personal data')
  const [key] = await sql<{ by: string }>(`SELECT wrapped_by AS by FROM ${schema}.personal_key`)
  expect(await judged(lost.spine)).toMatchObject([
    { severity: 'error', message: expect.stringContaining(`1 person by ${key?.by};`) },
  ])
  expect(await judged(publisher)).toEqual([])
  await expect(lost.spine.publish(registered, ada)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await lost.spine.stop()
  const both = await shop({ personalKeys: [fresh, masterKey] }, schema)
  await until(() => both.seen.length === 1, 30_000)
  expect(both.seen).toMatchObject([{ email: 'ada@example.com' }])
  expect(await judged(both.spine)).toMatchObject([
    { severity: 'info', advice: expect.stringMatching(/rewrap/) },
  ])
  expect(await both.spine.personal.rewrap({ actor: 'ann' })).toBe(1)
  expect(await judged(both.spine)).toEqual([])
  expect(await both.spine.personal.rewrap({ actor: 'ann' })).toBe(0)
  await both.spine.stop()
  const alone = await shop({ personalKeys: [fresh] }, schema)
  await alone.spine.publish(registered, ada)
  await until(() => alone.seen.length === 1)
})

it('makes no key for a new person where those of others are enciphered by a key that this process has not', async () => {
  const { spine, schema, app } = await shop()
  await spine.publish(registered, ada)
  const other = new Eventspine(app, {
    ...{ databaseUrl, schema, work: false, personalKeys: [randomBytes(32).toString('base64')] },
  })
  afterTest(() => other.stop())
  await other.start()
  const eve = { ...ada, customer: 'c-2', email: 'eve@example.com' }
  await expect(other.publish(registered, eve)).rejects.toMatchObject({
    ...{
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/enciphered by another key.*EVENTSPINE_PERSONAL_KEY/),
    },
  })
  expect(await sql(`SELECT person FROM ${schema}.personal_key`)).toEqual([{ person: 'c-1' }])
  await spine.publish(registered, eve)
})

it('refuses what would give it away, before anything is stored', async () => {
  const named = (personal: object, options: object = {}) =>
    defineEvent({
      ...{ type: 'shop.named', schema: z.object({ id: z.string(), name: z.string() }) },
      ...options,
      personal,
    } as never)
  const faultsOf = (event: ReturnType<typeof named>) => {
    try {
      defineApp({ name: 'shop', events: [event] })
      return ''
    } catch (error) {
      return (error as Error).message
    }
  }
  const person = ({ id }: { id: string }) => id
  expect(faultsOf(named({ fields: { name: null } }))).toContain('personal.person must be a function')
  expect(faultsOf(named({ person, fields: {} }))).toContain('has 0 fields')
  expect(faultsOf(named({ person, fields: { 'a..b': null } }))).toContain('empty part')
  expect(faultsOf(named({ person, fields: { name: undefined } }))).toContain('must be JSON')
  const waits = workflow({ name: 'w', waitsFor: [registered], run: async () => {} })
  expect(() => defineApp({ name: 'shop', workflows: [waits] })).toThrow(/stays in its history/)
  const started = workflow({ name: 'w', on: { event: registered, id: () => 'x' }, run: async () => {} })
  expect(() => defineApp({ name: 'shop', workflows: [started] })).toThrow(/leaves them out/)
  expect(
    () =>
      new Eventspine(defineApp({ name: 'shop', events: [registered] }), { databaseUrl, personalKeys: [] }),
  ).toThrow(/EVENTSPINE_PERSONAL_KEY/)
  expect(
    () =>
      new Eventspine(defineApp({ name: 'shop', events: [] }), { databaseUrl, personalKeys: ['c2hvcnQ='] }),
  ).toThrow(/has 5 bytes, and must have 32/)

  for (const [one, other] of [
    ['name', 'name.first'],
    ['list.*.a', 'list.b.a'],
  ] as const)
    expect(faultsOf(named({ person, fields: { [one]: null, [other]: null } }))).toContain('meet')
  const keyed = named({ person, fields: { name: '' } }, { key: ({ name }: { name: string }) => name })
  const unfit = named({ person, fields: { name: 7 } })
  const nobody = named({ person: () => '', fields: { name: '' } })
  const { spine } = await shop()
  const refused = async (event: ReturnType<typeof named>) =>
    spine
      .publish(event as never, { id: '1', name: 'ada' } as never)
      .catch(({ code, message }) => `${code} ${message}`)
  expect(await refused(keyed)).toMatch(/^EVENT_INVALID The key of "shop.named" is what "personal" hides/)
  expect(await refused(unfit)).toMatch(/^APP_INVALID Once its person is erased/)
  const lower = named(
    { person, fields: { name: '' } },
    { key: ({ name }: { name: string }) => name.toUpperCase() },
  )
  const told = named({ person: ({ name }: { name: string }) => name, fields: { name: '' } })
  const missed = named({ person, fields: { 'name.first': '' } })
  expect(await refused(lower)).toMatch(/^EVENT_INVALID The key of/)
  expect(await refused(told)).toMatch(/^EVENT_INVALID The person of/)
  expect(await refused(missed)).toMatch(/^EVENT_INVALID The path "name.first" .* at name/)
  expect(await refused(nobody)).toMatch(/^EVENT_INVALID The person that "shop.named" is about/)
  expect((await spine.operator().events()).items).toEqual([])
})

it('webhooks out do not copy it into their messages', () => {
  const sends = {
    name: 'out',
    on: registered,
    endpoints: () => [],
    endpoint: () => ({ url: '', secrets: [] }),
  }
  expect(() =>
    defineApp({ name: 'shop', events: [registered], webhooks: [webhooksOut(sends as never)] }),
  ).toThrow(/add payload/)
  const all = webhooksOut({ ...sends, on: 'shop.*' } as never)
  expect(() => defineApp({ name: 'shop', events: [registered], webhooks: [all] })).toThrow(/add payload/)
})
