// Webhooks out, from an event to the servers of customers and back: what each gets, what its answer does, and that nobody
// waits for another.
import { generateKeyPairSync } from 'node:crypto'
import { defineApp, defineEvent, defineSubscription, type Eventspine, retries } from 'eventspine'
import {
  type EndpointDisabled,
  type WebhookEndpoint,
  type WebhooksOutOptions,
  webhookEndpointDisabled,
  webhooksOut,
} from 'eventspine/webhooks'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { freshSchema, logged, quiet, running, sql, until } from '../support.js'
import { local, ok, type Receiver, receiver, secretOf, status } from './receiver.js'

const orderPlaced = defineEvent({
  type: 'orders.order-placed',
  schema: z.object({ order: z.string(), to: z.array(z.string()) }),
  key: ({ order }) => order,
})

type Endpoints = Record<string, WebhookEndpoint | null>
type Options = Partial<WebhooksOutOptions<typeof orderPlaced>>

/** An app whose orders say themselves which endpoints they go to. */
async function partners(endpoints: Endpoints, options: Options = {}) {
  const disabled: EndpointDisabled[] = []
  const out = webhooksOut({
    name: 'partners',
    on: orderPlaced,
    endpoints: (event) => event.data.to,
    endpoint: (id) => endpoints[id] ?? null,
    retry: retries.webhook({ timeScale: 0.001 }),
    network: local,
    ...options,
  })
  const told = defineSubscription({
    name: 'told',
    on: webhookEndpointDisabled,
    handle: ({ data }) => void disabled.push(data),
  })
  const schema = freshSchema()
  const spine = await running(defineApp({ name: 'shop', subscriptions: [told], webhooks: [out] }), schema)
  const place = (order: string, ...to: string[]) => spine.publish(orderPlaced, { order, to })
  const letters = async () => (await spine.operator().deadLetters({ state: 'dead' })).items
  return { spine, schema, out, disabled, place, letters }
}

const at = ({ url }: Receiver, ...secrets: string[]): WebhookEndpoint => ({ url, secrets })
const messagesOf = async (spine: Eventspine) =>
  (await spine.operator().events({ type: 'eventspine.webhook.partners' })).items

describe('a message', () => {
  it('goes to each endpoint of its event, signed by its secret or key, and to no other', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const raw = (key: 'd' | 'x', from: typeof privateKey) =>
      Buffer.from(from.export({ format: 'jwk' })[key] ?? '', 'base64url').toString('base64')
    const first = await receiver([secretOf(1)])
    const second = await receiver([`whpk_${raw('x', publicKey)}`])
    const other = await receiver([secretOf(3)])
    const { spine, place } = await partners({
      first: at(first, secretOf(1)),
      second: at(second, `whsk_${raw('d', privateKey)}`),
      other: at(other, secretOf(3)),
    })
    const { id } = await place('a-1', 'first', 'second', 'first')
    await quiet(spine)
    const details = await spine.operator().event(id)
    const body = {
      type: 'orders.order-placed',
      timestamp: details?.event.time,
      data: { order: 'a-1', to: ['first', 'second', 'first'] },
    }
    expect([first, second, other].map(({ received }) => received.map((each) => each.body))).toEqual([
      ...[[body], [body], []],
    ])
    expect([...first.refused, ...second.refused]).toEqual([])
    const headers = { 'content-type': 'application/json', 'user-agent': 'Eventspine-Webhooks' }
    expect(first.received[0]?.headers).toMatchObject(headers)
    // The id is that of the message in the log, whose cause is the event.
    const messages = await messagesOf(spine)
    expect(new Set(messages.map((each) => each.id))).toEqual(
      new Set([first.received[0]?.id, second.received[0]?.id]),
    )
    expect(messages.map(({ causationId, key }) => [causationId, key]).sort()).toEqual([
      ...[
        [id, 'first'],
        [id, 'second'],
      ],
    ])
  })

  it('is what `payload` makes of it, once, whatever it would make later', async () => {
    const customer = await receiver([secretOf(1)], status(500))
    let made = 0
    const { spine, place } = await partners(
      { customer: at(customer, secretOf(1)) },
      { payload: ({ data }) => ({ order: data.order, made: ++made, text: 'ü "quoted" \u2028' }) },
    )
    await place('a-1', 'customer')
    await until(() => customer.received.length >= 2)
    customer.answer = ok
    await quiet(spine)
    const texts = new Set(customer.received.map(({ text }) => text))
    expect([...texts].map((text) => JSON.parse(text))).toEqual([
      { order: 'a-1', made: 1, text: 'ü "quoted" \u2028' },
    ])
  })

  it('keeps its id over retries, and says when each was sent; a new secret counts at once', async () => {
    const customer = await receiver([secretOf(1)], status(503, {}, 'down'))
    const endpoints: Endpoints = { customer: at(customer, secretOf(1)) }
    const { spine, place } = await partners(endpoints, { retry: retries.webhook({ timeScale: 0.25 }) })
    await place('a-1', 'customer')
    await until(() => customer.received.length === 1)
    endpoints['customer'] = at(customer, secretOf(2), secretOf(1))
    customer.secrets = [secretOf(2)]
    customer.answer = ok
    await quiet(spine)
    const [first, second] = customer.received
    expect(customer.received).toHaveLength(2)
    expect(second?.id).toBe(first?.id)
    expect(Number(second?.timestamp)).toBeGreaterThan(Number(first?.timestamp))
    expect(second?.headers['webhook-signature']).toMatch(/^v1,\S{44} v1,\S{44}$/)
  })
})

describe('an answer', () => {
  const said = ': "no  such  thing"'
  it.each([
    [400, 'permanent', said],
    [401, 'permanent', said],
    [404, 'permanent', said],
    // What it says leads to an address, which is mostly a secret.
    [301, 'permanent', '. It leads to http://127.0.0.1'],
    [408, 'transient', said],
    [409, 'transient', said],
    [425, 'transient', said],
    [429, 'transient', said],
    [500, 'transient', said],
    [503, 'transient', said],
  ])('of %i is %s', async (code, category, told) => {
    const elsewhere = await receiver([secretOf(1)])
    const customer = await receiver(
      [secretOf(1)],
      status(code, { location: elsewhere.url }, 'no "such\u0000 thing'),
    )
    const retry = retries.webhook({ timeScale: 0.001, attemptsMax: 3 })
    const { spine, place, letters } = await partners({ customer: at(customer, secretOf(1)) }, { retry })
    await place('a-1', 'customer')
    await quiet(spine)
    const attempts = category === 'permanent' ? 1 : 3
    expect(customer.received).toHaveLength(attempts)
    expect(new Set(customer.received.map(({ id }) => id)).size).toBe(1)
    expect(await letters()).toMatchObject([
      {
        ...{ subscription: 'webhooks-partners-send', attempts },
        failure: {
          category,
          message: expect.stringContaining(`"customer" answered ${code}${told}`),
        },
      },
    ])
    expect(elsewhere.received).toEqual([])
    const [standing] = await spine.operator().webhooks.list()
    expect(standing).toMatchObject({ endpoint: 'customer', failures: attempts, disabled: null })
  })

  it('of 410 disables the endpoint, tells of it, and lets its messages die until it is enabled', async () => {
    const customer = await receiver([secretOf(1)], status(410))
    const other = await receiver([secretOf(2)])
    const endpoints = { customer: at(customer, secretOf(1)), other: at(other, secretOf(2)) }
    const { spine, place, letters, disabled } = await partners(endpoints)
    const { id } = await place('a-1', 'customer', 'other')
    await until(() => disabled.length === 1)
    expect(disabled).toMatchObject([
      { webhooks: 'partners', endpoint: 'customer', cause: 'gone', by: 'eventspine', reason: null },
    ])
    await place('a-2', 'customer', 'other')
    await quiet(spine)
    expect([customer.received.length, other.received.length]).toEqual([1, 2])
    const dead = await letters()
    expect(dead.map(({ failure }) => failure.message)).toEqual(
      Array(2).fill(
        expect.stringMatching(
          /is disabled since .* answered 410\. .*webhooks enable partners 'customer' --tenant 'default', then redrive$/,
        ),
      ),
    )
    expect((await spine.operator().event(id))?.chain.children.length).toBe(2)
    const { webhooks } = spine.operator()
    expect(await webhooks.list({ state: 'disabled' })).toMatchObject([
      { endpoint: 'customer', tenant: 'default' },
    ])
    await webhooks.enable({ webhooks: 'partners', tenant: 'default', endpoint: 'customer' }, 'ann')
    customer.answer = ok
    await spine.operator().redrive({ filter: { subscription: 'webhooks-partners-send' }, actor: 'ann' })
    await until(() => customer.received.length === 3)
    await quiet(spine)
    expect(await letters()).toEqual([])
    expect(new Set(customer.received.map((each) => each.id)).size).toBe(2)
  })

  it('of one endpoint is sent again, and those of the others stay', async () => {
    const mended = await receiver([secretOf(1)])
    const broken = await receiver([secretOf(2)])
    let answer = 400
    for (const each of [mended, broken]) each.answer = (_, response) => response.writeHead(answer).end()
    const endpoints = { mended: at(mended, secretOf(1)), broken: at(broken, secretOf(2)) }
    const { spine, place, letters } = await partners(endpoints)
    await place('o-1', 'mended', 'broken')
    await place('o-2', 'mended')
    await until(async () => (await letters()).length === 3)
    answer = 200
    const filter = { subscription: 'webhooks-partners-send', key: 'mended' }
    expect((await spine.operator().previewRedrive(filter)).selected).toBe(2)
    await spine.operator().redrive({ filter, actor: 'ann' })
    await until(() => mended.received.length === 4)
    await quiet(spine)
    expect((await letters()).map(({ event }) => event.key)).toEqual(['broken'])
    expect(broken.received).toHaveLength(1)
  })

  it('that never comes is a failure; for long enough, and the endpoint is disabled', async () => {
    const customer = await receiver([secretOf(1)], (_, response) => response.destroy())
    const { spine, place, letters, disabled } = await partners(
      { customer: at(customer, secretOf(1)) },
      { disableAfterMs: 1 },
    )
    await place('a-1', 'customer')
    await until(() => disabled.length === 1)
    await quiet(spine)
    expect(disabled).toMatchObject([
      {
        cause: 'failing',
        failingSince: expect.any(String),
        lastError: expect.stringMatching(/could not be reached/),
      },
    ])
    expect(customer.received).toHaveLength(2)
    expect(await letters()).toMatchObject([{ attempts: 2, failure: { category: 'permanent' } }])
  })
})

describe('a person', () => {
  it('disables and enables an endpoint; both are written down, the first is told', async () => {
    const customer = await receiver([secretOf(1)])
    const { spine, place, letters, disabled } = await partners({ customer: at(customer, secretOf(1)) })
    const name = { webhooks: 'partners', tenant: 'default', endpoint: 'customer' }
    const { webhooks } = spine.operator()
    await webhooks.disable(name, 'ann', 'they asked for it')
    await webhooks.disable(name, 'bob')
    await until(() => disabled.length > 0)
    await place('a-1', 'customer')
    await until(async () => (await letters()).length === 1)
    expect(customer.received).toEqual([])
    expect((await letters())[0]?.failure.message).toMatch(/disabled since .*, by ann/)
    expect(disabled).toMatchObject([{ cause: 'person', by: 'ann', reason: 'they asked for it' }])
    await webhooks.enable(name, 'ann')
    await expect(webhooks.enable(name, 'ann')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      field: '/endpoint',
    })
    await place('a-2', 'customer')
    await until(() => customer.received.length === 1)
    const actions = (await spine.operator().audit()).items.map(({ actor, action }) => `${actor} ${action}`)
    expect(actions).toEqual(['ann webhook.enable', 'ann webhook.disable'])
    const unknown = { ...name, webhooks: 'strangers' }
    await expect(webhooks.disable(unknown, 'ann')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(webhooks.list({ webhooks: 'strangers' })).rejects.toThrow(/Known: partners/)
  })
})

describe('an endpoint', () => {
  it('of a private address gets nothing, whoever names it', async () => {
    const customer = await receiver([secretOf(1)])
    const { port } = new URL(customer.url)
    const urls = [`127.0.0.1:${port}`, `2130706433:${port}`, `[::ffff:127.0.0.1]:${port}`, `0x7f.1:${port}`]
    const endpoints = urls.map((host, n) => [`ep-${n}`, { url: `http://${host}/`, secrets: [secretOf(1)] }])
    const { spine, place, letters, out } = await partners(Object.fromEntries(endpoints), {
      network: { allowHttp: true, ports: 'any' },
    })
    await place('a-1', ...urls.map((_, n) => `ep-${n}`))
    await quiet(spine)
    expect(customer.received).toEqual([])
    const dead = await letters()
    expect(dead.map(({ failure, attempts }) => [failure.category, attempts])).toEqual(
      Array(4).fill(['permanent', 1]),
    )
    expect(dead[0]?.failure.message).toMatch(/no address of the public internet/)
    await expect(out.check(customer.url)).rejects.toMatchObject({ code: 'REQUEST_INVALID', field: '/url' })
    await expect(out.check('http://8.8.8.8/')).resolves.toBeUndefined()
  })

  it('that the app does not know, or cannot sign for, is no fault of the endpoint', async () => {
    const customer = await receiver([secretOf(1)])
    const short = `whsec_${Buffer.alloc(23, 1).toString('base64')}`
    const { spine, place, letters } = await partners({
      gone: null,
      short: at(customer, short),
      none: at(customer),
      wrong: at(customer, 'whpk_AAAA'),
    })
    await place('a-1', 'gone', 'short', 'none', 'wrong')
    await quiet(spine)
    const messages = (await letters()).map(({ failure }) => failure.message).sort()
    expect(messages).toEqual([
      ...['none', 'short', 'wrong'].map((id) =>
        expect.stringContaining(`Endpoint "${id}" cannot be signed for`),
      ),
      expect.stringContaining('There is no endpoint "gone"'),
    ])
    expect(messages[1]).toMatch(/23 bytes; write 24 to 64/)
    expect(messages.join(' ')).not.toContain(short.slice(6))
    expect(await spine.operator().webhooks.list()).toEqual([])
    expect([...customer.received, ...customer.refused]).toEqual([])
  })

  it('shows its secrets, the path of its URL and insides of the engine nowhere', async () => {
    const customer = await receiver([secretOf(1)], status(400))
    const away = await receiver([secretOf(1)], (_, response) => response.destroy())
    const token = 'path-that-only-they-know'
    const hidden = ({ url }: Receiver) => ({ url: `${url}/${token}?${token}`, secrets: [secretOf(1)] })
    const { spine, schema, place, letters } = await partners(
      {
        ...{ customer: hidden(customer), away: hidden(away), gone: null },
        private: { ...hidden(customer), url: `ftp://${token}/` },
      },
      { retry: retries.webhook({ timeScale: 0.001, attemptsMax: 2 }) },
    )
    await place('a-1', 'customer', 'away', 'gone', 'private')
    await quiet(spine)
    expect((await letters()).map(({ failure }) => failure.stack)).toEqual(Array(4).fill(null))
    expect([customer.received.length, away.received.length]).toEqual([1, 2])
    const tables = await sql<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1`,
      [schema],
    )
    expect(tables.length).toBeGreaterThan(10)
    const log = logged.join('\n')
    for (const secret of [secretOf(1).slice(6), token]) expect(log).not.toContain(secret)
    for (const { name } of tables) {
      const rows = await sql<{ text: string }>(`SELECT t::text AS text FROM ${schema}.${name} t`)
      const all = rows.map(({ text }) => text).join('\n')
      for (const secret of [secretOf(1).slice(6), token]) expect(all).not.toContain(secret)
    }
  })

  it('that is slow or dead holds up no other', { timeout: 60_000 }, async () => {
    const held: (() => void)[] = []
    const slow = await receiver(
      [secretOf(1)],
      (_, response) => void held.push(() => response.writeHead(200).end()),
    )
    const dead = await receiver([secretOf(2)], status(500))
    const fine = await receiver([secretOf(3)])
    const { spine, place } = await partners(
      { slow: at(slow, secretOf(1)), dead: at(dead, secretOf(2)), fine: at(fine, secretOf(3)) },
      { concurrency: { max: 20, perEndpoint: 4 }, retry: retries.webhook() },
    )
    const many = Array.from({ length: 3_000 }, (_, n) => ({
      event: orderPlaced,
      data: { order: `o-${n}`, to: n % 3 === 0 ? ['dead'] : ['slow'] },
    }))
    await spine.publishMany(many)
    await until(async () => (await messagesOf(spine)).length > 0)
    for (const n of Array(50).keys()) await place(`f-${n}`, 'fine')
    await until(() => fine.received.length === 50, 30_000)
    expect(held).toHaveLength(4)
    // Its breaker is open: some were in flight when it opened, and then a probe now and then.
    expect(dead.received.length).toBeLessThan(30)
    const breakers = await spine.operator().breakers()
    expect(breakers.map(({ key, state }) => [key, state])).toEqual([['dead', 'open']])
    slow.answer = ok
    for (const release of held) release()
    await until(() => slow.received.length > 100)
  })
})

describe('a replay', () => {
  it('of what was sent sends it again with its id, where a person says so', async () => {
    const customer = await receiver([secretOf(1)])
    const { spine, place } = await partners({ customer: at(customer, secretOf(1)) })
    await place('a-1', 'customer')
    await quiet(spine)
    const replay = { subscription: 'webhooks-partners-send', actor: 'ann' }
    await expect(spine.operator().replay(replay)).rejects.toMatchObject({ code: 'REPLAY_REFUSED' })
    await spine.operator().replay({ ...replay, external: true })
    await until(() => customer.received.length === 2)
    expect(new Set(customer.received.map(({ id }) => id)).size).toBe(1)
  })
})
