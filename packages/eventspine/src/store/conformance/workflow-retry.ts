// Retries of instances that wait for a person, on any store: what was tried is told with why it waits.
import { describe, expect, it } from 'vitest'
import { fails, redriveRequest, sent } from './redrive.js'
import type { OpenScene } from './scene.js'
import { begun, name, recordingOf } from './workflow.js'

export function describeWorkflowRetry(open: OpenScene): void {
  describe('workflow that waits for a person', () => {
    it('tells of a retry while it runs and once it failed again, and the audit of what was done by it', async () => {
      const { scene, lease } = await begun(open)
      await scene.store.recordWorkflows([recordingOf(lease, 0, { id: 'b' })])
      await scene.subscribe({ name: 'workflow-checkout' })
      const own = await scene.leased('worker-a', 'workflow-checkout')
      const { ids, lease: after } = await scene.died(own, 1, { message: 'stuck' }, { key: name.id }, true)
      const attention = async () => {
        const [listed] = (await scene.store.workflows({ state: 'needs-attention' })).items
        const shown = (await scene.store.workflow(name))?.attention
        expect(listed?.attention).toEqual(shown)
        return shown
      }
      expect(await attention()).toMatchObject({ retries: 0, retry: null })
      const act = { action: 'workflow.retry', target: 'checkout a', details: { reason: 'mended' } }
      await scene.store.createRedrive('r1', redriveRequest({ filter: { ids }, act }))
      const [told] = (await scene.store.audit({})).items
      expect(told).toMatchObject({ actor: 'ann', ...act, details: { reason: 'mended', redrive: 'r1' } })
      const rows = await sent(scene, after, 1)
      const retry = { redrive: 'r1', by: 'ann', atMs: expect.any(Number) }
      expect(await attention()).toMatchObject({ retries: 0, retry: { ...retry, state: 'running' } })
      await fails(scene, after, rows, true)
      expect(await attention()).toMatchObject({ retries: 1, retry: { ...retry, state: 'failed' } })
    })
  })
}
