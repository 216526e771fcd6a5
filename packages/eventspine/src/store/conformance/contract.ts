// Contracts of events on any store: written as decided, and by one process at a time.
import { describe, expect, it } from 'vitest'
import type { Contract, RegisteredContract, Registration } from '../../contract/port.js'
import type { OpenScene, Scene } from './scene.js'

const contract = (version: number, fields: Partial<Contract> = {}): Contract => ({
  ...{ type: 'orders.placed', version, description: null },
  ...{ schema: { type: 'object', title: `v${version}` }, fingerprint: `print-${version}` },
  ...fields,
})
const changed = contract(1, { schema: { type: 'string' }, fingerprint: 'other', description: 'said' })

/** What is not there yet is written; `replacedBy` writes all. */
function register({ store }: Scene, app: string, own: readonly Contract[], replacedBy: string | null = null) {
  const types = [...new Set(own.map(({ type }) => type))]
  return store.registerContracts(app, types, (registered): Registration => {
    const isKnown =
      ({ type, version }: Contract) =>
      (each: RegisteredContract) =>
        each.type === type && each.version === version
    const written = replacedBy === null ? own.filter((each) => !registered.some(isKnown(each))) : own
    return { written, replaced: replacedBy === null ? [] : registered, replacedBy }
  })
}

export function describeContract(open: OpenScene): void {
  describe('contract', () => {
    it('is written once, and listed by type and version', async () => {
      const scene = await open()
      const all = [contract(10), contract(2), contract(1, { type: 'orders.Old' })]
      expect(await register(scene, 'shop', all)).toMatchObject({ written: all })
      const listed = await scene.store.contracts()
      expect(listed.map(({ type, version }) => `${type} ${version}`)).toEqual([
        ...['orders.Old 1', 'orders.placed 2', 'orders.placed 10'],
      ])
      expect(listed[1]).toEqual({ ...contract(2), app: 'shop', registeredAtMs: expect.any(Number) })
      expect(await register(scene, 'other', all)).toMatchObject({ written: [] })
      expect(await scene.store.contracts()).toEqual(listed)
      expect(await scene.store.contracts(['orders.Old'])).toHaveLength(1)
      expect(await scene.store.contracts([])).toEqual([])
    })

    it('shows who decides only the types that were asked for', async () => {
      const scene = await open()
      await register(scene, 'shop', [contract(1), contract(1, { type: 'orders.other' })])
      const seen: string[] = []
      await scene.store.registerContracts('shop', ['orders.other'], (registered) => {
        seen.push(...registered.map(({ type }) => type))
        return { written: [], replaced: [], replacedBy: null }
      })
      expect([...new Set(seen)]).toEqual(['orders.other'])
    })

    it('is replaced where somebody says so, which the audit keeps', async () => {
      const scene = await open()
      await register(scene, 'shop', [contract(1)])
      await register(scene, 'other', [changed, contract(2, { schema: null, fingerprint: '' })], 'ann')
      expect(await scene.store.contracts()).toMatchObject([
        { ...changed, app: 'other' },
        { version: 2, schema: null, fingerprint: '' },
      ])
      expect((await scene.store.audit({})).items).toMatchObject([
        {
          ...{ actor: 'ann', action: 'contract.replace', target: 'orders.placed version 1' },
          details: { fingerprint: 'print-1', schema: contract(1).schema },
        },
      ])
    })

    it('is the first one where two come at once', async () => {
      const scene = await open()
      const both = await Promise.all([
        register(scene, 'shop', [contract(1)]),
        register(scene, 'other', [changed]),
      ])
      expect(both.flatMap(({ written }) => written)).toHaveLength(1)
      expect(await scene.store.contracts()).toMatchObject(both.flatMap(({ written }) => written))
    })
  })
}
