// Leases on sources, on any store: one holder at a time, by the store's clock.
import { describe, expect, it } from 'vitest'
import type { SourceLease } from '../../source/port.js'
import { longMs, type OpenScene, shortMs } from './scene.js'

const of = (worker: string, given: Partial<SourceLease> = {}): SourceLease => ({
  ...{ source: 'queue', slot: '', worker, identity: `process of ${worker}` },
  ...{ state: 'running', failures: 0, error: null },
  ...given,
})

export function describeSourceLease(open: OpenScene): void {
  describe('source leases', () => {
    it('are of one worker, until it gives them back', async () => {
      const { store } = await open()
      expect(await store.leaseSource(of('a'), longMs)).toBeNull()
      expect(await store.leaseSource(of('b'), longMs)).toBe('process of a')
      expect(await store.leaseSource(of('a'), longMs)).toBeNull()
      await store.releaseSource(of('b'))
      expect(await store.leaseSource(of('b'), longMs)).toBe('process of a')
      await store.releaseSource(of('a'))
      expect(await store.leaseSource(of('b'), longMs)).toBeNull()
      expect(await store.leaseSource(of('a'), longMs)).toBe('process of b')
    })

    it('are taken over when their time is over, or their process is known to be dead', async () => {
      const scene = await open()
      const { store } = scene
      await store.leaseSource(of('a'), shortMs)
      await scene.eventually(
        'a lease that runs out',
        async () => (await store.leaseSource(of('b'), longMs)) === null,
      )
      expect(await store.leaseSource(of('a'), longMs)).toBe('process of b')
      expect(await store.leaseSource(of('c'), longMs, 'process of a')).toBe('process of b')
      expect(await store.leaseSource(of('c'), longMs, 'process of b')).toBeNull()
      expect(await store.leaseSource(of('b'), longMs)).toBe('process of c')
    })

    it('have slots of their own, and say how each fares', async () => {
      const scene = await open()
      const { store } = scene
      const failing = of('b', { slot: 'b', state: 'failing', failures: 3, error: 'no route' })
      for (const lease of [of('a', { slot: 'a' }), failing, of('a', { source: 'another' })])
        expect(await store.leaseSource(lease, longMs)).toBeNull()
      expect(await store.sourceLeases()).toEqual([
        { ...of('a', { source: 'another' }), live: true },
        { ...of('a', { slot: 'a' }), live: true },
        { ...failing, live: true },
      ])
      await store.leaseSource({ ...failing, state: 'running', failures: 0, error: null }, shortMs)
      await scene.eventually('a lease that runs out', async () =>
        (await store.sourceLeases()).some(({ slot, live }) => slot === 'b' && !live),
      )
      expect(await store.sourceLeases()).toContainEqual({ ...of('b', { slot: 'b' }), live: false })
    })

    it('is given to one of many that ask at once', async () => {
      const { store } = await open()
      const workers = ['a', 'b', 'c', 'd', 'e']
      const answers = await Promise.all(workers.map((worker) => store.leaseSource(of(worker), longMs)))
      expect(answers.filter((answer) => answer === null)).toHaveLength(1)
    })
  })
}
