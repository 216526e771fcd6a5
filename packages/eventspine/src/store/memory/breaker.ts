// Breakers that all workers share: closed, open for a cooldown, half-open for one probe at a time.
import type { BreakerName, BreakerPort, BreakerState } from '../../deliver/port.js'
import type { BreakerRow } from './rows.js'
import type { MemoryTables } from './tables.js'

export function breakerPort(tables: MemoryTables): BreakerPort {
  return {
    async breakers(closedMsMax) {
      const all = [...tables.breakers.values()].map((row) => stateOf(row, tables.now()))
      const restless = ({ state, closedForMs }: BreakerState, ms: number) =>
        state !== 'closed' || (closedForMs !== null && closedForMs <= ms)
      return closedMsMax === undefined ? all : all.filter((each) => restless(each, closedMsMax))
    },
    async breakerFailed(report) {
      const row = breakerRow(tables, report)
      row.lastError = report.error
      // What was running when it opened says nothing new.
      if (row.state === 'open') return
      countFailures(row, report, tables.now())
      if (row.state === 'half-open' || row.failures >= report.failuresMax)
        open(row, tables.now(), report.cooldownMs)
    },
    async breakerProbe(breaker, probeMs) {
      const row = tables.breakers.get(keyOf(breaker))
      const now = tables.now()
      if (row === undefined || row.state === 'closed') return false
      if (row.state === 'open' ? row.opensUntilMs > now : row.probeUntilMs > now) return false
      row.state = 'half-open'
      row.probeUntilMs = now + probeMs
      return true
    },
    async breakerSucceeded(breaker, probes) {
      const row = tables.breakers.get(keyOf(breaker))
      if (row?.state !== 'half-open') return
      row.successes++
      row.probeUntilMs = Number.NEGATIVE_INFINITY
      if (row.successes >= probes) close(row, tables.now())
    },
    async breakerSet(breaker, state, cooldownMs, actor, reason) {
      const row = breakerRow(tables, breaker)
      const before = row.state
      if (state === 'closed') close(row, tables.now())
      else open(row, tables.now(), cooldownMs)
      const { name, tenant, key } = breaker
      const target = [name, tenant, key].filter((part) => part !== '').join('/')
      const details = { name, tenant, key, before, after: state, cooldownMs, reason }
      tables.audit(actor, state === 'open' ? 'breaker.open' : 'breaker.close', target, details)
    },
  }
}

const keyOf = ({ name, tenant, key }: BreakerName) => JSON.stringify([name, tenant, key])

function breakerRow(tables: MemoryTables, { name, tenant, key }: BreakerName): BreakerRow {
  const known = tables.breakers.get(keyOf({ name, tenant, key }))
  if (known !== undefined) return known
  const row: BreakerRow = {
    name,
    tenant,
    key,
    state: 'closed',
    failures: 0,
    successes: 0,
    windowBeganAtMs: tables.now(),
    openedAtMs: null,
    opensUntilMs: Number.NEGATIVE_INFINITY,
    probeUntilMs: Number.NEGATIVE_INFINITY,
    closedAtMs: null,
    lastError: null,
  }
  tables.breakers.set(keyOf(row), row)
  return row
}

function countFailures(
  row: BreakerRow,
  report: { readonly count: number; readonly windowMs: number },
  now: number,
): void {
  if (now - row.windowBeganAtMs >= report.windowMs) {
    row.windowBeganAtMs = now
    row.failures = 0
  }
  row.failures += report.count
}

function open(row: BreakerRow, now: number, cooldownMs: number): void {
  row.state = 'open'
  row.successes = 0
  // Since when it first opened: a probe that fails changes nothing about that.
  row.openedAtMs ??= now
  row.opensUntilMs = now + cooldownMs
  row.probeUntilMs = Number.NEGATIVE_INFINITY
}

function close(row: BreakerRow, now: number): void {
  if (row.state !== 'closed') row.closedAtMs = now
  row.openedAtMs = null
  row.state = 'closed'
  row.failures = 0
  row.successes = 0
  row.windowBeganAtMs = now
}

function stateOf(row: BreakerRow, now: number): BreakerState {
  return {
    name: row.name,
    tenant: row.tenant,
    key: row.key,
    state: row.state,
    failures: row.failures,
    openedAtMs: row.openedAtMs,
    opensForMs: row.state === 'open' ? Math.max(0, row.opensUntilMs - now) : 0,
    closedForMs: row.closedAtMs === null ? null : now - row.closedAtMs,
    lastError: row.lastError,
  }
}
