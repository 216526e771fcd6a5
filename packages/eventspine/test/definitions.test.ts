// Wrong definitions fail where the app is defined: all of them at once, each named, with what to write instead.
import {
  type AppOptions,
  defineApp,
  defineEvent,
  defineSubscription,
  EventspineError,
  retries,
} from 'eventspine'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const schema = z.object({ n: z.int() })
const placed = defineEvent({ type: 'orders.order-placed', schema, key: ({ n }) => String(n) })
const keyless = defineEvent({ type: 'orders.order-noted', schema })
const handle = () => {}

/** As JavaScript would write it, where the types say no. */
const subscription = (options: object) =>
  defineSubscription({ name: 'reserve', on: placed, handle, ...options } as never)
const event = (options: object) => defineEvent({ type: 'orders.made', schema, ...options } as never)

/** The faults that an app is refused for. */
function faultsOf(options: object): string[] {
  try {
    defineApp({ name: 'orders', ...options } as AppOptions)
    return []
  } catch (error) {
    expect(error).toBeInstanceOf(EventspineError)
    expect(error).toMatchObject({ code: 'APP_INVALID' })
    return (error as Error).message.split('\n  - ').slice(1)
  }
}

describe('a subscription is refused', () => {
  it.each<[string, object, RegExp]>([
    [
      'without a handler',
      { handle: undefined },
      /exactly one of "handle" .*, "transact" .* and "transactMany"/,
    ],
    ['with both handlers', { transact: handle }, /exactly one of "handle"/],
    [
      'with both kinds of transactions',
      { handle: undefined, transact: handle, transactMany: handle },
      /exactly one of/,
    ],
    [
      'with a handler of many that is none',
      { handle: undefined, transactMany: 7 },
      /"transactMany" must be a function \(deliveries, \{ tx \}\)/,
    ],
    ['for a window of no batch', { batch: { windowMs: 5 } }, /batch\.windowMs is for "transactMany"/],
    [
      'for a window without end',
      { handle: undefined, transactMany: handle, batch: { windowMs: 60_001 } },
      /batch\.windowMs is 60001; write a whole number from 1 to 60,000/,
    ],
    ['with a handler that is none', { handle: 'reserve' }, /"handle" must be a function \(event, context\)/],
    [
      'for a bad name',
      { name: 'Reserve Stock' },
      /"Reserve Stock": a name is lower-case letters.* "reserve-stock"/,
    ],
    ['without a name', { name: undefined }, /a name is lower-case letters/],
    ['for a name of 101 characters', { name: 'x'.repeat(101) }, /at most 100 characters/],
    ['without events', { on: [] }, /"on" names no event; write on: orderPlaced/],
    [
      'with an event that is undefined',
      { on: undefined },
      /"on" takes events made by defineEvent, or patterns/,
    ],
    ['with a schema in place of an event', { on: schema }, /"on" takes events made by defineEvent/],
    ['for a bad pattern', { on: 'orders/**' }, /pattern "orders\/\*\*" may hold letters, digits/],
    ['for an empty pattern', { on: '' }, /pattern "" may hold letters/],
    [
      'for a pattern that matches nothing',
      { on: 'order.*' },
      /pattern "order\.\*" matches no event of the app; list/,
    ],
    ['for zero concurrency', { concurrency: 0 }, /concurrency is 0; write a whole number from 1 to 10,000/],
    ['for half concurrency', { concurrency: { max: 1.5 } }, /concurrency is 1\.5/],
    [
      'for concurrency without max',
      { concurrency: { perKey: 1 } },
      /concurrency has no "max"; write concurrency: \{ max/,
    ],
    ['for concurrency per key', { concurrency: { max: 5, perKey: 0 } }, /concurrency\.perKey is 0/],
    [
      'for less concurrency than shards',
      { concurrency: 2, shards: 4 },
      /concurrency 2 is less than its 4 shards/,
    ],
    ['for a deadline of text', { deadlineMs: '30s' }, /deadlineMs is 30s; write a whole number/],
    ['for an endless deadline', { deadlineMs: Number.POSITIVE_INFINITY }, /deadlineMs is Infinity/],
    [
      'for a rate without a time',
      { rate: { max: 5 } },
      /rate has no "perMs"; write rate: \{ max: 100, perMs: 1_000 \}/,
    ],
    ['for a rate that is a number', { rate: 5 }, /rate must be an object; write rate: \{ max/],
    ['for an empty batch', { batch: { eventsMax: 0 } }, /batch\.eventsMax is 0/],
    [
      'for order without a key',
      { on: keyless, ordered: true },
      /ordered, but .* has no key; add "key: \(data\) => …"/,
    ],
    [
      'for an order of its own',
      { ordered: { afterDead: 'stop' } },
      /ordered\.afterDead is "stop"; write "halt" or "skip"/,
    ],
    [
      'for an order of words',
      { ordered: 'yes' },
      /ordered is yes; write true .*false, or \{ afterDead: 'skip' \}/,
    ],
    ['for an order that looks right', { ordered: 'halt' }, /ordered is halt; write true/],
    ['for an order that is null', { ordered: null }, /ordered is null; write true/],
    ['for an order that is a list', { ordered: ['skip'] }, /ordered is \["skip"\]; write true/],
    ['for concurrency of words', { concurrency: 'yes' }, /concurrency is yes; write a whole number/],
    ['for concurrency that is null', { concurrency: null }, /concurrency is null; write a whole number/],
    ['for a batch that is a list', { batch: [5] }, /batch must be an object; write batch: \{ eventsMax/],
    [
      'for a deadline that is an object',
      { deadlineMs: { ms: 1 } },
      /deadlineMs is \{"ms":1\}; write a whole/,
    ],
    ['for a retry that is a number', { retry: 5 }, /retry must be an object; write retry: retries\.standard/],
    ['for a priority of its own', { priority: 'alarms' }, /priority is "alarms"; write "alarm" or "normal"/],
    [
      'for a start that is no time',
      { start: new Date('soon') },
      /start is "beginning", "now" or a valid Date/,
    ],
    ['for a start of text', { start: 'yesterday' }, /start is "beginning"/],
    [
      'for a filter with an unknown operator',
      { filter: { data: { n: [{ prefx: 'a' }] } } },
      /filter: .*prefx/,
    ],
    [
      'for a filter in the words of EventBridge',
      { filter: { detail: { n: [1] } } },
      /filter: .*write "data"/,
    ],
    ['for a filter without a list', { filter: { data: { n: 1 } } }, /filter: /],
    [
      'for a filter over its data that does not say so',
      { filter: { n: [1] } },
      /filter: .*n is no attribute of an event; write \{ data: \{ "n": … \} \}/,
    ],
    [
      'for a breaker without a name',
      { breaker: { failures: 3, cooldownMs: 10 } },
      /breaker has no "name"; write breaker:/,
    ],
    [
      'for a breaker that never opens',
      { breaker: { name: 'b', failures: 0, cooldownMs: 10 } },
      /breaker\.failures is 0/,
    ],
    [
      'for a breaker of no scope',
      { breaker: { name: 'b', failures: 1, cooldownMs: 1, scope: 'all' } },
      /breaker\.scope is "all"/,
    ],
    [
      'for a retry policy by hand',
      { retry: { attempts: 3 } },
      /retry has no "attemptsMax"; write retry: retries\.standard/,
    ],
    ['for no attempt at all', { retry: retries.standard({ attemptsMax: 0 }) }, /retry\.attemptsMax is 0/],
  ])('%s', (_, options, message) => {
    const faults = faultsOf({ events: [placed], subscriptions: [subscription(options)] })
    expect(faults.join('\n')).toMatch(message)
    expect(faults[0]).toMatch(/^subscription "/)
  })

  it.each([
    ['concurency', '"concurency" is no option; did you mean "concurrency"?'],
    ['retrys', '"retrys" is no option; did you mean "retry"?'],
    ['deadline', '"deadline" is no option; did you mean "deadlineMs"?'],
    ['colour', /"colour" is no option; there are filter, retry, deadlineMs,/],
  ])('for the option %s', (option, message) => {
    expect(faultsOf({ subscriptions: [subscription({ [option]: 1 })] })).toEqual([
      expect.stringMatching(typeof message === 'string' ? message.replaceAll('?', '\\?') : message),
    ])
  })

  it('for a typing error inside an option', () => {
    const faults = faultsOf({
      subscriptions: [subscription({ rate: { max: 1, perMs: 1, perms: 2 }, batch: { eventMax: 2 } })],
    })
    expect(faults).toEqual([
      'subscription "reserve": "rate.perms" is no option; did you mean "perMs"?',
      'subscription "reserve": "batch.eventMax" is no option; did you mean "eventsMax"?',
    ])
  })

  it('when it is none', () => {
    expect(faultsOf({ subscriptions: [undefined, { name: 'x' }] })).toEqual([
      'subscriptions[0] is not made by defineSubscription({ … })',
      'subscriptions[1] is not made by defineSubscription({ … })',
    ])
  })
})

describe('an event is refused', () => {
  it.each<[string, object, RegExp]>([
    ['for a bad type', { type: 'order placed' }, /a type is letters, digits, dots/],
    ['without a type', { type: undefined }, /a type is letters/],
    ['for a type of 201 characters', { type: 'x'.repeat(201) }, /at most 200/],
    ['for version 0', { version: 0 }, /version must be a whole number from 1/],
    ['for version 1.5', { version: 1.5 }, /version must be a whole number from 1/],
    ['without a schema', { schema: undefined }, /schema must be a Standard Schema, such as z\.object/],
    ['for a schema that is a plain object', { schema: { n: 'int' } }, /schema must be a Standard Schema/],
    ['for a key that is a name', { key: 'n' }, /key must be a function; write key: \(data\) => data\.id/],
    [
      'for an upcast into itself',
      { version: 2, upcast: { 2: handle } },
      /upcast 2 leads nowhere; .* up to 1/,
    ],
    ['for an upcast of a name', { version: 2, upcast: { one: handle } }, /upcast one leads nowhere/],
    ['for an upcast that is no function', { version: 2, upcast: { 1: {} } }, /upcast 1 must be a function/],
    [
      'for a hole in its upcasts',
      { version: 4, upcast: { 1: handle, 3: handle } },
      /upcast 1 leads to version 2, .* add 2:/,
    ],
  ])('%s', (_, options, message) => {
    expect(faultsOf({ events: [event(options)] })).toEqual([expect.stringMatching(message)])
    expect(faultsOf({ events: [event(options)] })[0]).toMatch(/^event "/)
  })

  it('for a version that another has', () => {
    expect(faultsOf({ events: [placed, event({ type: placed.type })] })).toEqual([
      expect.stringMatching(/"orders\.order-placed" version 1 is defined twice; raise the version/),
    ])
  })

  it('when it is none', () => {
    expect(faultsOf({ events: [schema] })).toEqual(['events[0] is not made by defineEvent({ … })'])
    expect(faultsOf({ events: placed })).toEqual(['"events" must be a list; write events: [ … ]'])
  })
})

describe('an app', () => {
  it('is refused for its name and for options that it does not know', () => {
    expect(faultsOf({ name: 'My Orders' })[0]).toMatch(/app name "My Orders" must be lower-case/)
    expect(faultsOf({ name: undefined })[0]).toMatch(/app name "undefined" must be/)
    expect(faultsOf({ subscription: [] })).toEqual([
      '"subscription" is no option; did you mean "subscriptions"?',
    ])
  })

  it('tells all its faults at once', () => {
    const faults = faultsOf({
      name: 'Orders',
      events: [event({ version: 0 })],
      subscriptions: [
        subscription({ concurrency: 0, handle: undefined }),
        subscription({ on: 'nothing.*' }),
        subscription({ concurency: 2 }),
      ],
    })
    expect(faults).toHaveLength(8)
    expect(faults.filter((fault) => fault.includes('is defined twice'))).toHaveLength(2)
    expect(() => defineApp({ name: 'Orders', events: [event({ version: 0 })] })).toThrow(
      /"Orders" has 2 faults:/,
    )
  })

  it('takes what is right, with every policy', () => {
    const all = {
      filter: { data: { n: [{ numeric: ['>', 1] }] } },
      retry: retries.queue(),
      deadlineMs: 1,
      ordered: { afterDead: 'skip' },
      concurrency: { max: 4, perKey: 1 },
      rate: { max: 1, perMs: 1 },
      batch: { eventsMax: 1 },
      priority: 'alarm',
      breaker: { name: 'stock', failures: 1, cooldownMs: 1, scope: 'tenant' },
      start: new Date(0),
      shards: 4,
      external: false,
      description: 'all of it',
    }
    expect(
      faultsOf({ subscriptions: [subscription(all), subscription({ name: 'plain', on: ['orders.*'] })] }),
    ).toEqual([])
  })
})

describe('a filter over what is personal', () => {
  const joined = defineEvent({
    type: 'people.joined',
    schema: z.object({
      id: z.string(),
      email: z.string(),
      phones: z.array(z.object({ number: z.string() })),
    }),
    personal: { person: (data) => data.id, fields: { email: 'x', 'phones.*.number': '0' } },
  })
  const defined = (filter: object) => () =>
    defineApp({
      name: 'people',
      subscriptions: [
        defineSubscription({ name: 's', on: joined, filter: filter as never, handle: () => {} }),
      ],
    })

  it.each([
    [{ data: { email: ['a@b.cc'] } }, 'data.email is personal'],
    [{ data: { email: [{ 'anything-but': ['spam'] }] } }, 'data.email is personal'],
    [{ data: { phones: { number: [{ prefix: '+49' }] } } }, 'data.phones.*.number is personal'],
    [
      { $or: [{ data: { id: ['1'] } }, { data: { $or: [{ id: ['2'] }, { email: ['a'] }] } }] },
      'data.email is personal',
    ],
  ])('is refused: %j', (filter, message) => {
    expect(defined(filter)).toThrow(message)
  })

  it('is taken beside it', () => {
    expect(defined({ data: { id: ['1'], phones: [{ exists: true }] } })).not.toThrow()
  })
})
