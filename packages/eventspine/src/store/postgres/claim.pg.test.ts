import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type OwnSchema, ownSchema } from '../../../test/own-schema.js'
import type { ClaimPort } from '../../append/port.js'
import { silentLogger } from '../../observe/log.js'
import { claimStatements, claimsNeededSince } from './claim.js'
import { lifecycleStatements } from './lifecycle.js'

let own: OwnSchema
let claims: ClaimPort
beforeAll(async () => {
  own = ownSchema()
  await lifecycleStatements(own.database, silentLogger).migrate()
  claims = claimStatements(own.database)
})
beforeEach(() =>
  own.sql('TRUNCATE eventspine.claim, eventspine.event, eventspine.dead_letter, eventspine.delivery'),
)
afterAll(() => own.drop())

const body = JSON.stringify({ large: '€'.repeat(30_000) })
const day = 86_400_000

test('a body comes back as it was, kept once for each tenant', async () => {
  const references = await Promise.all(
    Array.from({ length: 8 }, () => claimStatements(own.another()).put('a', body)),
  )
  expect(new Set(references).size).toBe(1)
  const other = await claims.put('b', body)
  expect(await own.sql('SELECT count(*)::int AS rows FROM eventspine.claim')).toEqual([{ rows: 2 }])
  expect(await claims.get(references[0] ?? '')).toBe(body)
  expect(await claims.get(other)).toBe(body)
})

test('one that is gone, changed or never was is NOT_FOUND', async () => {
  const reference = await claims.put('a', body)
  await own.sql("UPDATE eventspine.claim SET body = body || ' '")
  await expect(claims.get(reference)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await own.sql('DELETE FROM eventspine.claim')
  await expect(claims.get(reference)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(claims.get("' OR true --")).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('old bodies expire, used again ones do not', async () => {
  const old = await claims.put('a', '{"old":true}')
  const used = await claims.put('a', '{"used":true}')
  await own.sql("UPDATE eventspine.claim SET written_at = now() - interval '3 days'")
  await own.sql(
    "INSERT INTO eventspine.claim SELECT number::text, 'a', '', now() - interval '4 days' FROM generate_series(1, 450) AS number",
  )
  expect(await claims.put('a', '{"used":true}')).toBe(used)
  expect(await claims.expire(Date.now() - 2 * day)).toBe(451)
  await expect(claims.get(old)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await claims.get(used)).toBe('{"used":true}')
})

test('bodies are needed as long as an event, a dead letter or a redriven delivery refers to them', async () => {
  const days = async () => Math.round((Date.now() - (await claimsNeededSince(own.database))) / day)
  expect(await days()).toBe(1)
  await own.sql(`INSERT INTO eventspine.event (time, recorded_at, version, id, type, tenant, source, traceparent, correlation_id)
    VALUES (now(), now() - interval '9 days', 1, 'i', 't', 'a', '/s', '', '')`)
  expect(await days()).toBe(10)
  const copy = (daysAgo: number, claim: string | null) =>
    JSON.stringify({ recordedAtMs: Date.now() - daysAgo * day, claim })
  const letter = (seq: number, event: string) =>
    own.sql(
      `INSERT INTO eventspine.dead_letter (subscription, replay, shard, epoch, xid, seq, tick, tenant, attempts, category, fingerprint, failure, event_id, event_type, event)
       VALUES ('a', '', 0, 1, '1', $1, 1, 't', 1, 'permanent', 'f', '{}', 'i', 'e', $2)`,
      [seq, event],
    )
  await letter(1, copy(99, null))
  expect(await days()).toBe(10)
  await letter(2, copy(49, 'reference'))
  expect(await days()).toBe(50)
  await own.sql(
    `INSERT INTO eventspine.delivery (subscription, replay, shard, epoch, xid, seq, tick, tenant, state, attempt, token, due_at, event)
     VALUES ('a', '', 0, 1, '1', 1, 1, 't', 'retry', 1, 1, now(), $1)`,
    [copy(59, 'reference')],
  )
  expect(await days()).toBe(60)
  await own.sql(`INSERT INTO eventspine.workflow_entry (number, position, kind, place, name, data, at, token)
    VALUES (1, 0, 'step-claimed', '0', 's', '{}', now() - interval '69 days', 1),
      (1, 1, 'step-done', '1', 's', '{}', now() - interval '99 days', 1)`)
  expect(await days()).toBe(70)
})
