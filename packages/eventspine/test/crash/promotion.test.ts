// Who calls a letter that was sent again, when the one before it in its key was through before it came.
import { expect, it } from 'vitest'
import { KeyOrder } from '../../src/deliver/key-order.js'
import type { Lease } from '../../src/deliver/port.js'
import { Promotion } from '../../src/deliver/promotion.js'
import { type OrderingKey, orderingKeyOf } from '../../src/event/index.js'

it('promotes a halted key that has rows, whoever sent them (I23)', async () => {
  const key = orderingKeyOf({ tenant: 'one', key: 'k' })
  const other = orderingKeyOf({ tenant: 'two', key: 'k' })
  const keys = new KeyOrder(true, 1)
  keys.restore([], [key, other])
  const promoted: OrderingKey[] = []
  const port = {
    blockedKeys: async () => ({ open: new Map([[key, 1]]), halted: new Set([key, other]) }),
    promote: async (_lease: unknown, asked: readonly OrderingKey[]) => {
      promoted.push(...asked)
      return new Set(asked)
    },
  }
  await new Promotion(keys, {} as Lease, port, () => {}).tend()
  expect(promoted).toEqual([key])
})
