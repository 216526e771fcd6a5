import { expect, test } from 'vitest'
import { compileEventFilter } from './of-events.js'

test.each([
  [{ data: { detail: { 'detail-type': ['a'] } }, tenant: ['acme'], partner: [{ prefix: 'x' }] }],
  [{ $or: [{ type: ['a'] }, { data: { a: { b: [1] } } }] }],
])('takes what an event may have: %j', (pattern) => {
  expect(compileEventFilter(pattern).pattern).toEqual(pattern)
})

test.each([
  [
    { detail: { a: [1] } },
    'The filter at detail is a name of EventBridge, and no attribute of an event here; write "data"',
  ],
  [{ 'detail-type': ['a'] }, 'write "type"'],
  [{ 'my-field': ['a'] }, 'The filter at my-field is no attribute of an event'],
  [{ datta: { a: [1] } }, 'write { "data": { "datta": … } }'],
  [{ $or: [{ type: ['a'] }, { detail: ['b'] }] }, 'The filter at $or[1].detail'],
])('refuses what none has: %j', (pattern, message) => {
  expect(() => compileEventFilter(pattern)).toThrow(message)
})
