import { afterEach, expect, test } from 'vitest'
import { type OwnSchema, ownSchema } from '../../../test/own-schema.js'
import { silentLogger } from '../../observe/log.js'
import type { Entry, Recording } from '../../workflow/port.js'
import { lifecycleStatements } from './lifecycle.js'
import { workflowStatements } from './workflow.js'

const schemas: OwnSchema[] = []
afterEach(async () => {
  await Promise.all(schemas.splice(0).map((own) => own.drop()))
})

const consumer = { subscription: 'workflow-checkout', replay: '', shard: 0 }
const lease = { ...consumer, token: 1 }
const entryOf = (position: number): Entry => ({
  ...{ position, kind: position === 0 ? 'started' : 'step-done', place: String(position), name: 'step' },
  ...{ data: null, atMs: 1_700_000_000_000 },
})
const recordingOf = (from: number, parts: Partial<Recording> = {}): Recording => ({
  ...{
    tenant: 'default',
    workflow: 'checkout',
    id: 'a',
    consumer: lease as never,
    from,
    entries: [entryOf(from)],
  },
  ...{ state: 'running', wakeAtMs: 1_700_000_000_000, published: [], awaited: null },
  made: from === 0 ? { version: 1, parent: null, deadlineInMs: 1_000 } : null,
  ...parts,
})

async function begun() {
  const own = ownSchema()
  schemas.push(own)
  await lifecycleStatements(own.database, silentLogger).migrate()
  await own.sql(
    `INSERT INTO eventspine.consumer (subscription, replay, shard, token, tick, seq) VALUES ($1, $2, $3, 1, 0, 0)`,
    Object.values(consumer),
  )
  const store = workflowStatements(own.database)
  expect(await store.recordWorkflows([recordingOf(0)])).toEqual(new Set([0]))
  return { own, store }
}

test.each([
  ['is recorded where a timer of it is taken meanwhile', 'wake_at = NULL', [0]],
  ['is not recorded where another has written meanwhile', 'entries = entries + 1', []],
])('what was done %s', async (_, change, recorded) => {
  const { own, store } = await begun()
  const session = await own.session()
  try {
    await session.sql(`BEGIN; UPDATE eventspine.workflow SET ${change}`)
    const recording = store.recordWorkflows([recordingOf(1)])
    await own.waitFor(
      `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = $1`,
      [`${own.database.schema} workflow`],
    )
    await session.sql('COMMIT')
    expect(await recording).toEqual(new Set(recorded))
  } finally {
    await session.end()
  }
})
