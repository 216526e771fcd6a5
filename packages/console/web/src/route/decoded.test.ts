// A broken address breaks no page.
import { expect, test } from 'vitest'
import { decoded } from './decoded.js'

test('what is encoded is read, and what is not stays as it is', () => {
  expect(decoded('es_%C3%A9')).toBe('es_é')
  for (const broken of ['%', 'es_100%', '%E9', '%zz']) expect(decoded(broken)).toBe(broken)
})
