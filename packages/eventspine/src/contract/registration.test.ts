// What becomes of the registered contracts when an app comes with its own.
import { describe, expect, it } from 'vitest'
import type { Contract } from './json-schema.js'
import type { RegisteredContract } from './port.js'
import { registrationOf } from './registration.js'

const contract = (version: number, fields: Partial<Contract> = {}): Contract => ({
  ...{ type: 'orders.placed', version, description: null },
  ...{ schema: { type: 'object', title: `v${version}` }, fingerprint: `print-${version}` },
  ...fields,
})
const registered = (own: Contract, app = 'shop'): RegisteredContract => ({ ...own, app, registeredAtMs: 0 })
const changed = contract(1, { schema: { type: 'string' }, fingerprint: 'other' })
const silent = contract(1, { schema: null, fingerprint: '' })

describe('registering contracts', () => {
  it('writes what is new, and nothing twice', () => {
    const all = [contract(1), contract(2)]
    expect(registrationOf('shop', all, [registered(contract(1))]).written).toEqual([contract(2)])
    expect(
      registrationOf(
        'shop',
        all,
        all.map((each) => registered(each)),
      ).written,
    ).toEqual([])
  })

  it('writes nothing where one differs, unless somebody has it replaced', () => {
    const before = registered(contract(1))
    const all = [changed, contract(2)]
    expect(registrationOf('other', all, [before])).toEqual({
      written: [],
      replaced: [before],
      replacedBy: null,
    })
    expect(registrationOf('other', all, [before], 'ann')).toEqual({
      ...{ written: all, replaced: [before], replacedBy: 'ann' },
    })
  })

  it('fills in a schema that nobody could tell so far, and never empties one', () => {
    expect(registrationOf('other', [contract(1)], [registered(silent)]).written).toEqual([contract(1)])
    expect(registrationOf('shop', [silent], [registered(contract(1))])).toMatchObject({
      written: [],
      replaced: [],
    })
  })

  it('takes new words from the app that registered it, and from no other', () => {
    const worded = contract(1, { description: 'an order was placed' })
    expect(registrationOf('shop', [worded], [registered(contract(1))]).written).toEqual([worded])
    expect(registrationOf('other', [worded], [registered(contract(1))]).written).toEqual([])
  })
})
