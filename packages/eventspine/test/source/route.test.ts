// Routes: wrong ones are refused where the app is defined, and types flow from the path and the schemas to the event and from
// the event that replies to the answer. Each `@ts-expect-error` fails the type check when the line below it is accepted.
import { type AppOptions, defineApp, defineEvent, EventspineError } from 'eventspine'
import { type HttpRoute, httpRoute } from 'eventspine/source'
import { expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'

const placed = defineEvent({
  type: 'shop.placed',
  schema: z.object({ customer: z.string(), n: z.int(), at: z.coerce.date<string>() }),
})
const confirmed = defineEvent({ type: 'shop.confirmed', schema: z.object({ number: z.int() }) })
const refused = defineEvent({ type: 'shop.refused', schema: z.object({ reason: z.string() }) })
const at = '2026-01-31T12:00:00Z'

const right = {
  name: 'place',
  path: '/shop/orders/:customer',
  to: () => ({ event: confirmed, data: { number: 1 } }),
}

/** As JavaScript would write it, where the types say no. */
const route = (options: object) => httpRoute({ ...right, ...options } as never)

function faultsOf(...sources: readonly HttpRoute[]): string[] {
  try {
    defineApp({ name: 'shop', sources } as AppOptions)
    return []
  } catch (error) {
    expect(error).toBeInstanceOf(EventspineError)
    return (error as Error).message.split('\n  - ').slice(1)
  }
}

const reply = { event: confirmed, to: () => ({ body: null }) }

it.each<[string, object, RegExp]>([
  ['no path', { path: undefined }, /path is undefined; write one .*\/shop\/orders\/:customer/],
  ['a path that begins with a parameter', { path: '/:shop/x' }, /begins with a name/],
  ['a path that ends with a slash', { path: '/shop/' }, /ends without a slash/],
  ['a path with a wildcard', { path: '/shop/*' }, /path is \/shop\/\*/],
  ['a path with dots', { path: '/shop/../v1/events' }, /clients resolve/],
  ['a path with a name twice', { path: '/shop/:a/x/:a' }, /names :a twice/],
  ['a long path', { path: `/${'a'.repeat(200)}` }, /at most 200/],
  ['GET', { method: 'GET' }, /method is GET; write one of POST, PUT/],
  ['an unknown scope', { access: 'everyone' }, /access is everyone; write one of routes, publish, read/],
  ['a body that is no schema', { body: { sku: 'text' } }, /body must be a Standard Schema/],
  ['a query that is no schema', { query: 'x' }, /query must be a Standard Schema/],
  ['no function', { to: undefined }, /to must be a function/],
  ['no room', { inFlightMax: 0 }, /inFlightMax is 0; write a whole number/],
  ['a reply by no event', { reply: { ...reply, event: [] } }, /reply.event must be 1 to 16/],
  ['a reply by a text', { reply: { ...reply, event: 'shop.confirmed' } }, /reply.event must be 1 to 16/],
  ['a reply without a function', { reply: { event: confirmed } }, /reply.to must be a function/],
  ['a reply at once', { reply: { ...reply, withinMs: 1 } }, /withinMs is 1; .* 1,000 to 604,800,000/],
  ['a reply that is none', { reply: { ...reply, answers: { 202: null } } }, /names 202/],
  ['a reply without answers', { reply: { ...reply, answers: {} } }, /names no status/],
  ['an answer that is no schema', { reply: { ...reply, answers: { 200: 'x' } } }, /answers\[200\] must be/],
])('%s is refused', (_name, part, message) => {
  expect(faultsOf(route({}))).toEqual([])
  expect(faultsOf(route(part))).toEqual([expect.stringMatching(message)])
})

it('two at one address are refused, whatever their parameters are called', () => {
  const other = { name: 'other', path: '/shop/orders/:buyer' }
  expect(faultsOf(route({}), route(other))).toEqual([
    expect.stringMatching(/"other": POST \/shop\/orders\/:buyer is the address of "place" already/),
  ])
  expect(faultsOf(route({}), route({ ...other, method: 'PUT' }))).toEqual([])
  expect(faultsOf(route({}), route({ path: '/shop/other' }))).toEqual([
    expect.stringMatching(/defined twice/),
  ])
})

it('the events that reply are of the app', () => {
  const app = defineApp({
    name: 'shop',
    sources: [route({ reply: { ...reply, event: [confirmed, refused] } })],
  })
  expect(app.events).toEqual([confirmed, refused])
})

it('gives its function what the path and the schemas say, and takes what the event takes', () => {
  const made = httpRoute({
    name: 'place',
    path: '/shops/:shop/orders/:customer',
    query: z.object({ dry: z.stringbool().default(false) }),
    body: z.object({ n: z.int(), note: z.string().optional() }),
    to({ params, query, body, principal, headers }) {
      expectTypeOf(params).toEqualTypeOf<Readonly<Record<'shop' | 'customer', string>>>()
      expectTypeOf(query).toEqualTypeOf<{ dry: boolean }>()
      expectTypeOf(body).toEqualTypeOf<{ n: number; note?: string | undefined }>()
      expectTypeOf(principal.tenant).toEqualTypeOf<string | undefined>()
      expectTypeOf(headers['x']).toEqualTypeOf<string | undefined>()
      // @ts-expect-error no such parameter
      void params.order
      return { event: placed, data: { customer: params.customer, n: body.n, at } }
    },
    reply: {
      event: [confirmed, refused],
      to(event) {
        // @ts-expect-error not before the type is known
        void event.data.number
        return event.type === 'shop.confirmed'
          ? { body: expectTypeOf(event.data).toEqualTypeOf<{ number: number }>() }
          : { status: 409, body: event.data.reason }
      },
      answers: { 200: null, 409: z.string() },
    },
  })
  expect(made.method).toBe('POST')
})

it('refuses data of another event', () => {
  httpRoute({
    name: 'place',
    path: '/shop/orders',
    // @ts-expect-error a number is missing
    to: () => ({ event: confirmed, data: { reason: 'none' } }),
  })
  const later = httpRoute({
    name: 'place',
    path: '/shop/orders',
    to: async ({ body, params }) => {
      expectTypeOf(body).toEqualTypeOf<undefined>()
      // @ts-expect-error the path has none
      void params.x
      return { event: confirmed, data: { number: 1 } }
    },
    reply: { event: refused, to: ({ data }) => ({ body: data.reason }) },
  })
  expect(later.reply?.events).toEqual([refused])
})
