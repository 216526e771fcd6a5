import { expect, test } from 'vitest'
import { compileEventFilter } from './of-events.js'

test.each([
  [
    {
      data: { detail: { 'detail-type': ['a'] } },
      tenant: ['acme'],
      extensions: { partner: [{ prefix: 'x' }] },
    },
  ],
  [{ $or: [{ type: ['a'] }, { data: { a: { b: [1] } } }] }],
  [{ correlationId: ['c'], causationId: [{ exists: false }], key: ['k'], subject: ['s'], id: ['i'] }],
])('takes what an event may have: %j', (pattern) => {
  expect(compileEventFilter(pattern).pattern).toEqual(pattern)
})

test.each([
  [
    { amount: [{ numeric: ['>', 100] }] },
    'The filter at amount is no attribute of an event; write { data: { "amount": … } } for what is in its data, or { extensions: { "amount": … } } for an extension attribute',
  ],
  [{ $or: [{ type: ['a'] }, { amount: [1] }] }, 'The filter at $or[1].amount is no attribute of an event'],
  [{ detail: { a: [1] } }, 'The filter at detail is no attribute of an event; write "data", or'],
  [{ 'detail-type': ['a'] }, 'write "type", or'],
  [{ partitionkey: ['a'] }, 'write "key", or'],
  [{ correlationid: ['a'] }, 'write "correlationId", or'],
  [{ datta: { a: [1] } }, 'write "data", or { data: { "datta": … } }'],
  [{ 'my-field': ['a'] }, 'The filter at my-field is no attribute of an event'],
  [{ constructor: ['a'] }, 'The filter at constructor is no attribute of an event; write { data:'],
  [{ type: { a: [1] } }, 'write { data: { "type": … } }'],
])('refuses what none has: %j', (pattern, message) => {
  expect(() => compileEventFilter(pattern)).toThrow(message)
})
