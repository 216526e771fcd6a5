// The key order at the moments that no timing of a real run brings about for sure.
import { expect, it } from 'vitest'
import { freshItem, type Item } from '../../src/deliver/item.js'
import { KeyOrder } from '../../src/deliver/key-order.js'

const tick = { number: 1, epoch: 1, after: '', snapshot: '', seqEstimate: 0, madeAtMs: 0 }
const item = (seq: number, tenant = 'one'): Item =>
  freshItem({ epoch: 1, xid: 1, seq, tick: 1, tenant, key: 'a' } as Item['event'], tick)

it('stays blocked when an answer about a key is older than a row that was recorded meanwhile (I21)', () => {
  const keys = new KeyOrder(true, 1)
  const first = item(1)
  expect(keys.admit(first)).toBe('run')
  keys.release(first, 'row')
  keys.recorded([first])
  // The first row is through, and the store is asked what is left of its key: nothing. Before that answer is here ...
  const asked = keys.asking(keys.blockedOf([first]))
  const second = item(2)
  expect(keys.admit(second)).toBe('row')
  keys.recorded([second])
  keys.unblock(asked, new Set())
  // ... the second became a row. The third must not overtake it.
  expect(keys.admit(item(3))).toBe('row')
})

it('lets a key go when nothing was recorded since the store was asked', () => {
  const keys = new KeyOrder(true, 1)
  const first = item(1)
  keys.admit(first)
  keys.release(first, 'row')
  keys.recorded([first])
  keys.unblock(keys.asking(keys.blockedOf([first])), new Set())
  expect(keys.admit(item(2))).toBe('run')
})

it('stays halted when an answer about halted keys is older than the dead letter (I23)', () => {
  const keys = new KeyOrder(true, 1)
  const first = item(1)
  keys.admit(first)
  // The store is asked which keys are halted, and meanwhile this one dies: decided, then recorded.
  const before = keys.asking(keys.haltedKeys())
  keys.release(first, 'halt')
  const decided = keys.asking(keys.haltedKeys())
  expect(keys.refresh(before, new Set())).toEqual([])
  expect(keys.refresh(decided, new Set())).toEqual([])
  keys.haltRecorded([first])
  expect(keys.refresh(decided, new Set())).toEqual([])
  expect(keys.admit(item(2))).toBe('row')
  // Asked after it was recorded, the answer counts.
  expect(keys.refresh(keys.asking(keys.haltedKeys()), new Set())).toEqual(['one\0a'])
})

it('keeps the same key of two tenants apart (I21, I23)', () => {
  const keys = new KeyOrder(true, 1)
  const first = item(1)
  keys.admit(first)
  keys.release(first, 'halt')
  expect(keys.admit(item(2))).toBe('row')
  expect(keys.admit(item(3, 'other'))).toBe('run')
  expect(keys.admit(item(4, 'other'))).toBe('later')
})
