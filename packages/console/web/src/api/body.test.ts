// What somebody writes reaches the server as they wrote it.
import { expect, test } from 'vitest'
import { bodyText, faultOf, Written } from './body.js'

test('what is written is sent as it is, beside what the page says', () => {
  const text = '{"big":1e400,"twice":1, "twice":2, "long":12345678901234567890}'
  expect(bodyText({ data: new Written(text), reason: 'a "word"', rate: undefined })).toBe(
    `{"data":${text},"reason":"a \\"word\\""}`,
  )
})

test('without anything written it is what JSON.stringify makes', () => {
  for (const body of [{}, { a: 1, b: [null, { c: 'x' }] }, [1], 'text', null])
    expect(bodyText(body)).toBe(JSON.stringify(body))
})

test('what is no JSON is told before it is sent, and cannot break out of its place', () => {
  expect(faultOf(new Written('1, "filter": {}'))).toMatch(/^This is not JSON: /)
  expect(faultOf(new Written('{ "order": '))).toMatch(/^This is not JSON: /)
  expect(faultOf(new Written('{"big":1e400,"twice":1,"twice":2}'))).toBeUndefined()
})
