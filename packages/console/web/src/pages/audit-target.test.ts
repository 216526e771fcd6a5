// An act leads to what it was done to.
import { expect, test } from 'vitest'
import { targetOf } from './audit-target.js'

const placeOf = (action: string, target: string, details: Readonly<Record<string, unknown>> = {}) =>
  targetOf({ id: 1, atMs: 0, actor: 'ann', action, target, details })

test('to the page of the one, and of its tenant', () => {
  expect(placeOf('subscription.pause', 'bill')).toEqual({ to: 'subscriptions', params: { name: 'bill' } })
  expect(placeOf('redrive.create', 'r1')).toEqual({ to: 'redrives', params: { id: 'r1' } })
  expect(placeOf('replay.create', 'p1', { subscription: 'ship' })).toEqual({
    ...{ to: 'subscriptions', params: { name: 'ship' } },
  })
  expect(placeOf('workflow.cancel', 'refund r 1', { tenant: 'acme' })).toEqual({
    ...{ to: 'workflows', params: { workflow: 'refund', id: 'r 1', tenant: 'acme' } },
  })
  expect(placeOf('contract.replace', 'orders.placed version 2')).toEqual({
    ...{ to: 'contracts', params: { type: 'orders.placed', version: '2' } },
  })
  const filter = { subscription: 'ship', ids: ['ship/1.1'], round: 2 }
  expect(placeOf('dead-letters.discard', 'ship', { filter })).toEqual({
    ...{ to: 'dead-letters', params: { subscription: 'ship', state: 'discarded' } },
  })
})

test('nowhere, where no page shows it', () => {
  for (const action of ['subscription.remove', 'person.erase', 'source.install', 'unheard.of'])
    expect(placeOf(action, 'x')).toBeUndefined()
})
