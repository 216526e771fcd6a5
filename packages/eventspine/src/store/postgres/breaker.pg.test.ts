import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type OwnSchema, ownSchema } from '../../../test/own-schema.js'
import type { BreakerPort, BreakerState } from '../../deliver/port.js'
import { silentLogger } from '../../observe/log.js'
import { breakerStatements } from './breaker.js'
import { lifecycleStatements } from './lifecycle.js'

let own: OwnSchema
let port: BreakerPort
beforeAll(async () => {
  own = ownSchema()
  await lifecycleStatements(own.database, silentLogger).migrate()
  port = breakerStatements(own.database)
})
beforeEach(() => own.sql('TRUNCATE eventspine.breaker, eventspine.audit'))
afterAll(() => own.drop())

const hour = 3_600_000
const bank = { name: 'bank', tenant: '', key: '' }
const failed = (
  count = 1,
  options: { tenant?: string; key?: string; failuresMax?: number; port?: BreakerPort } = {},
) =>
  (options.port ?? port).breakerFailed({
    name: 'bank',
    tenant: options.tenant ?? '',
    key: options.key ?? '',
    count,
    failuresMax: options.failuresMax ?? 3,
    windowMs: hour,
    cooldownMs: hour,
    error: 'connection refused',
  })
const state = async (tenant = ''): Promise<BreakerState | undefined> =>
  (await port.breakers()).find((breaker) => breaker.tenant === tenant)
const cooldownIsOver = () =>
  own.sql("UPDATE eventspine.breaker SET opens_until = clock_timestamp() - interval '1 second'")
const probeIsLost = () =>
  own.sql("UPDATE eventspine.breaker SET probe_until = clock_timestamp() - interval '1 second'")

test('opens at the limit, for its tenant alone', async () => {
  await failed(2)
  expect(await state()).toMatchObject({
    state: 'closed',
    failures: 2,
    openedAtMs: null,
    opensForMs: 0,
    closedForMs: null,
    lastError: 'connection refused',
  })
  await failed(1)
  const open = await state()
  expect(open).toMatchObject({ name: 'bank', tenant: '', state: 'open', failures: 3 })
  expect(open?.opensForMs).toBeGreaterThan(hour / 2)
  expect(open?.openedAtMs).toBeGreaterThan(0)
  await failed(1, { tenant: 'acme' })
  expect(await state('acme')).toMatchObject({ state: 'closed', failures: 1 })
})

test('opens at once when one report holds enough failures', async () => {
  await failed(5)
  expect(await state()).toMatchObject({ state: 'open', failures: 5 })
})

test('counts the reports of all workers', async () => {
  await Promise.all(
    Array.from({ length: 8 }, () => failed(1, { failuresMax: 100, port: breakerStatements(own.another()) })),
  )
  expect(await state()).toMatchObject({ state: 'closed', failures: 8 })
})

test('a window that is over begins anew', async () => {
  await failed(2)
  await own.sql("UPDATE eventspine.breaker SET window_began_at = window_began_at - interval '2 hours'")
  await failed(2)
  expect(await state()).toMatchObject({ state: 'closed', failures: 2 })
  await failed(1)
  expect(await state()).toMatchObject({ state: 'open', failures: 3 })
})

test('late failures do not keep it open', async () => {
  await failed(3)
  await cooldownIsOver()
  await failed(3)
  expect(await state()).toMatchObject({ state: 'open', opensForMs: 0 })
  expect(await port.breakerProbe(bank, hour)).toBe(true)
})

test('lets one probe through, over all workers, and another when the prober is lost', async () => {
  await failed(3)
  expect(await port.breakerProbe(bank, hour)).toBe(false)
  await cooldownIsOver()
  const asked = await Promise.all(
    Array.from({ length: 8 }, () => breakerStatements(own.another()).breakerProbe(bank, hour)),
  )
  expect(asked.filter(Boolean)).toHaveLength(1)
  expect(await state()).toMatchObject({ state: 'half-open', opensForMs: 0 })
  await probeIsLost()
  expect(await port.breakerProbe(bank, hour)).toBe(true)
  expect(await port.breakerProbe({ ...bank, tenant: 'acme' }, hour)).toBe(false)
})

test('a failed probe opens it again, since when it first opened', async () => {
  await failed(3)
  const first = await state()
  await cooldownIsOver()
  await port.breakerProbe(bank, hour)
  await port.breakerSucceeded(bank, 2)
  await port.breakerProbe(bank, hour)
  await failed(1)
  const again = await state()
  expect(again).toMatchObject({ state: 'open', openedAtMs: first?.openedAtMs })
  expect(again?.opensForMs).toBeGreaterThan(hour / 2)
  await cooldownIsOver()
  await port.breakerProbe(bank, hour)
  await port.breakerSucceeded(bank, 2)
  // The success before the failure does not count.
  expect(await state()).toMatchObject({ state: 'half-open' })
})

test('closes when enough probes went well, and counts from nothing', async () => {
  await failed(3)
  await cooldownIsOver()
  for (const after of ['half-open', 'closed']) {
    expect(await port.breakerProbe(bank, hour)).toBe(true)
    await port.breakerSucceeded(bank, 2)
    expect(await state()).toMatchObject({ state: after })
  }
  const closed = await state()
  expect(closed).toMatchObject({ failures: 0, openedAtMs: null })
  expect(closed?.closedForMs).toBeLessThan(hour)
  expect(await port.breakerProbe(bank, hour)).toBe(false)
  await failed(2)
  expect(await state()).toMatchObject({ state: 'closed', failures: 2 })
  await failed(1)
  expect(await state()).toMatchObject({ state: 'open' })
})

test('a success while it is closed or open changes nothing', async () => {
  await port.breakerSucceeded(bank, 1)
  expect(await port.breakers()).toEqual([])
  await failed(3)
  await port.breakerSucceeded(bank, 1)
  expect(await state()).toMatchObject({ state: 'open' })
})

test('an operator opens and closes it, and is written down', async () => {
  await port.breakerSet({ ...bank, tenant: 'acme' }, 'open', hour, 'ann')
  expect(await state('acme')).toMatchObject({ state: 'open', closedForMs: null })
  expect((await state('acme'))?.opensForMs).toBeGreaterThan(hour / 2)
  await port.breakerSet({ ...bank, tenant: 'acme' }, 'closed', hour, 'ben')
  expect(await state('acme')).toMatchObject({ state: 'closed', openedAtMs: null, opensForMs: 0 })
  expect((await state('acme'))?.closedForMs).toBeGreaterThanOrEqual(0)
  expect(await own.sql('SELECT actor, action, target, details FROM eventspine.audit ORDER BY id')).toEqual([
    {
      actor: 'ann',
      action: 'breaker.open',
      target: 'bank/acme',
      details:
        '{"name" : "bank", "tenant" : "acme", "key" : "", "before" : "closed", "after" : "open", "cooldownMs" : 3600000, "reason" : null}',
    },
    {
      actor: 'ben',
      action: 'breaker.close',
      target: 'bank/acme',
      details:
        '{"name" : "bank", "tenant" : "acme", "key" : "", "before" : "open", "after" : "closed", "cooldownMs" : 3600000, "reason" : null}',
    },
  ])
})
