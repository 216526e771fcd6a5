// The contracts of the order pipeline, as AsyncAPI.
import { expect, test } from 'vitest'
import { exported, faultsOf } from '../../../test/asyncapi.js'
import { app } from '../src/app.js'

test('its contracts are a document of AsyncAPI 3.0', async () => {
  const document = await exported(app)
  expect(faultsOf(document)).toEqual([])
  expect(Object.keys(document.channels)).toHaveLength(7)
  expect(Object.keys(document.operations)).toContain('validate.takes.orders.invoice-received')
})
