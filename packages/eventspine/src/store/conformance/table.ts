// Table sources on any store: one whose table is not there is refused, and said to be.
import { describe, expect, it } from 'vitest'
import type { TablePlan } from '../../source/port.js'
import type { OpenScene } from './scene.js'

const plan: TablePlan = {
  ...{
    source: 'ghosts',
    app: 'tests',
    table: { schema: 'nowhere', table: 'ghosts' },
    type: 'tests.ghost-changed',
  },
  ...{ columns: ['id'], redact: {}, key: ['id'], tenant: { constant: 'default', column: undefined } },
  ...{ operations: ['insert'], through: 'trigger', notify: false, bytesMax: 262_144 },
}

export function describeTable(open: OpenScene): void {
  describe('table sources', () => {
    it('are refused where their table is not there', async () => {
      const { store } = await open()
      const refusal = {
        code: 'REQUEST_INVALID',
        message: expect.stringContaining('nowhere.ghosts is no table'),
      }
      await expect(store.tableSql(plan)).rejects.toMatchObject(refusal)
      await expect(store.installTable(plan, 'ann')).rejects.toMatchObject(refusal)
      expect(await store.uninstallTable('ghosts', 'ann')).toBe(false)
      expect((await store.audit({})).items).toEqual([])
    })

    it('stand as they are', async () => {
      const { store } = await open()
      expect(await store.tableStandings('tests', [])).toEqual([])
      expect(await store.tableStandings('tests', [plan])).toEqual([
        {
          ...{ source: 'ghosts', table: 'nowhere.ghosts', state: 'impossible', lag: null },
          reason: expect.stringContaining('nowhere.ghosts is no table'),
        },
      ])
    })

    it('are read by nobody where they are not installed', async () => {
      const { store } = await open()
      const replicated = { ...plan, through: 'replication' as const }
      expect(await store.readReplication(replicated, 10)).toBeNull()
      await store.releaseReplication(replicated)
    })
  })
}
