// Looks at every answer of the store the moment it is given: who holds what, which rows there are, and whether the
// answer may be true. An account of its own, made from the outside; it shares no line with the store.
import {
  type ConsumerName,
  consumerId,
  type Holding,
  type Lease,
  type LeaseRequest,
  type OpenDelivery,
  type Settlement,
} from './engine.js'
import type { Ledger } from './ledger.js'
import type { Tally } from './tally.js'
import type { Trace } from './trace.js'

interface Grant {
  readonly token: number
  readonly worker: string
  readonly process: string
  untilMs: number
  released: boolean
  /** Its holder was told. */
  known: boolean
  /** A neighbour saw that its holder is dead. */
  orphaned: boolean
}

interface Row {
  state: 'retry' | 'running' | 'waiting'
  attempt: number
  round: number
  deaths: number
  dueAtMs: number
  token: number
}

interface Services {
  readonly ledger: Ledger
  readonly tally: Tally
  readonly trace: Trace
  now(): number
  isDead(process: string): boolean
}

export class Watch {
  readonly #services: Services
  readonly #grants = new Map<string, Grant>()
  readonly #rows = new Map<string, Row>()

  constructor(services: Services) {
    this.#services = services
  }

  // ── leases ──

  granted(process: string, request: LeaseRequest, leases: readonly Lease[]): void {
    // Also where nothing is granted, or wanted: the leases of the dead have ended all the same.
    this.#orphan(request.deadWorkers)
    for (const lease of leases) this.#granted(process, request, lease)
  }

  #granted(process: string, request: LeaseRequest, lease: Lease): void {
    const { ledger, tally, trace, now } = this.#services
    const id = consumerId(lease)
    const before = this.#grants.get(id)
    if (!ledger.starts.has(id)) ledger.starts.set(id, { tick: lease.tick, seq: lease.seq })
    if (before !== undefined) {
      if (lease.token <= before.token)
        ledger.violated('I33', `${id} was granted under token ${lease.token} after ${before.token}`)
      if (!before.released) {
        if (before.orphaned) tally.met('lease taken from a dead neighbour')
        else if (now() >= before.untilMs) tally.met('lease taken after it ran out')
        else ledger.violated('I37', `${id} was granted to ${process} while ${before.process} held it`)
      }
    }
    const untilMs = now() + (request.leaseMs[lease.subscription] ?? 0)
    const { token } = lease
    const { worker } = request
    this.#grants.set(id, { token, worker, process, untilMs, released: false, known: false, orphaned: false })
    trace.say(process, `holds ${id} under token ${lease.token} from ${lease.tick}.${lease.seq}`)
  }

  /** The answer to a grant has arrived: one that never does is nobody's to give back, and runs out. */
  answered(leases: readonly Lease[]): void {
    for (const lease of leases) {
      const grant = this.#grants.get(consumerId(lease))
      if (grant?.token === lease.token) grant.known = true
    }
  }

  #orphan(deadWorkers: readonly string[]): void {
    for (const grant of this.#grants.values())
      if (deadWorkers.includes(grant.worker) && this.#services.isDead(grant.process)) grant.orphaned = true
  }

  renewed(
    worker: string,
    leases: readonly (ConsumerName & { readonly token: number; readonly leaseMs: number })[],
    held: ReadonlySet<string>,
  ): void {
    for (const lease of leases) {
      const id = consumerId(lease)
      const grant = this.#grants.get(id)
      if (grant === undefined) continue
      if (!held.has(id)) {
        if (lease.token < grant.token) this.#services.tally.met('late renewal refused')
        continue
      }
      if (grant.token !== lease.token || grant.released || grant.worker !== worker)
        this.#services.ledger.violated(
          'I39',
          `${id} was renewed under token ${lease.token}, ${grant.token} is the newest`,
        )
      grant.untilMs = this.#services.now() + lease.leaseMs
    }
  }

  released(leases: readonly (ConsumerName & { readonly token: number })[]): void {
    for (const lease of leases) {
      const grant = this.#grants.get(consumerId(lease))
      if (grant?.token !== lease.token) continue
      // Also the second time: a settlement may have opened rows since the first.
      grant.released = true
      this.#putBack(lease)
    }
  }

  // Its holder lives: what it had claimed and not settled is due again, and no death is counted.
  #putBack(lease: ConsumerName & { readonly token: number }): void {
    const prefix = `${consumerId(lease)}/`
    for (const [id, row] of this.#rows)
      if (id.startsWith(prefix) && row.state === 'running' && row.token === lease.token) row.state = 'retry'
  }

  /** A person took it away from its holder. */
  fenced(replay: string): void {
    for (const [id, grant] of this.#grants) if (id.includes(`/${replay}/`)) grant.released = true
    for (const [id] of this.#rows) if (id.includes(`/${replay}/`)) this.#rows.delete(id)
  }

  // ── settlements ──

  settled(process: string, settlement: Settlement): void {
    const { ledger, tally, trace, now } = this.#services
    const id = consumerId(settlement)
    const commits = ledger.commits.get(id) ?? []
    const known = commits.find((commit) => commit.settlement.revision === settlement.revision)
    if (known?.settlement === settlement) return tally.met('settlement sent again')
    if (known !== undefined)
      ledger.violated('I17', `${id} has two settlements of revision ${settlement.revision}`)
    const grant = this.#grants.get(id)
    if (grant === undefined || settlement.token !== grant.token)
      ledger.violated(
        'I32',
        `${process} settled ${id} under token ${settlement.token}, ${grant?.token} is the newest`,
      )
    const order = trace.say(process, describe(id, settlement))
    commits.push({ process, settlement, order, atMs: now() })
    ledger.commits.set(id, commits)
    this.#applyRuns(process, settlement)
    this.#applyRows(settlement)
  }

  #applyRuns(process: string, settlement: Settlement): void {
    const { ledger, tally } = this.#services
    for (const record of settlement.runs) {
      const run = ledger.runOf(process, settlement, record)
      const quarantined = record.failure?.name === 'ProcessDeath'
      if (quarantined) tally.met('delivery quarantined')
      // Of workflows the histories tell.
      else if (settlement.subscription.startsWith('workflow-')) continue
      else if (run === undefined || (record.outcome === 'done' && run.endedAt === null))
        ledger.violated(
          'I14',
          `${consumerId(settlement)} records seq ${record.seq} as ${record.outcome}, which did not run to its end`,
        )
      else
        Object.assign(run, {
          outcome: record.outcome,
          conflicted: record.failure?.name === 'IdempotencyConflict',
        })
      if (run?.conflicted) tally.met('published id belongs to another body')
      if (record.outcome === 'retry') tally.met('delivery retried')
      if (record.outcome === 'dead') tally.met('delivery dead')
      if (record.outcome === 'done' && record.round > 0) tally.met('redriven delivery done')
    }
  }

  #applyRows(settlement: Settlement): void {
    const { tally, now } = this.#services
    for (const { seq } of settlement.closed) this.#rows.delete(rowId(settlement, seq))
    for (const { event, state, attempt, round, deaths, dueInMs } of settlement.opened) {
      if (state === 'running') tally.met('delivery parked while it runs')
      if (state === 'waiting') tally.met('delivery waits behind its key')
      this.#rows.set(rowId(settlement, event.seq), {
        state,
        attempt,
        round,
        deaths,
        dueAtMs: now() + dueInMs,
        token: settlement.token,
      })
    }
    for (const { seq, dueInMs, counted } of settlement.rescheduled) {
      const row = this.#rows.get(rowId(settlement, seq))
      if (row === undefined) continue
      Object.assign(row, { state: 'retry', dueAtMs: now() + dueInMs })
      if (!counted) row.attempt--
    }
  }

  // ── rows ──

  claimed(process: string, rows: readonly (ConsumerName & OpenDelivery)[]): void {
    for (const row of rows) this.#claimed(process, row)
  }

  #claimed(process: string, claim: ConsumerName & OpenDelivery): void {
    const { ledger, tally, trace, now } = this.#services
    const id = rowId(claim, claim.event.seq)
    const grant = this.#grants.get(consumerId(claim))
    const known = this.#rows.get(id)
    trace.say(process, `claims ${id}, attempt ${claim.attempt} of round ${claim.round}`)
    if (grant?.process !== process)
      ledger.violated('I32', `${process} claimed ${id}, which ${grant?.process} holds`)
    const again = known === undefined || known.round !== claim.round
    const before = again ? { state: 'retry', attempt: 0, deaths: 0, dueAtMs: 0, token: 0 } : known
    if (known === undefined && claim.round === 0)
      ledger.violated('I28', `${id} was claimed, but there is no such row`)
    if (claim.attempt !== before.attempt + 1)
      ledger.violated(
        'I19',
        `${id} was claimed as attempt ${claim.attempt} after ${before.attempt} of round ${claim.round}`,
      )
    if (before.state === 'retry' && before.dueAtMs > now())
      ledger.violated('I20', `${id} was claimed ${before.dueAtMs - now()} ms before it was due`)
    if (before.state === 'running') {
      if (before.token === grant?.token) ledger.violated('I19', `${id} was claimed twice under one token`)
      if (claim.deaths !== before.deaths + 1)
        ledger.violated('I19', `the death of the holder of ${id} was not counted`)
      tally.met('death counted')
    }
    if (again && claim.round > 0) tally.met('redrive sent')
    this.#rows.set(id, {
      state: 'running',
      attempt: claim.attempt,
      round: claim.round,
      deaths: claim.deaths,
      dueAtMs: 0,
      token: grant?.token ?? 0,
    })
  }

  /** What this token holds and its process does not know is as it was before its claim. */
  unclaimed(holdings: readonly Holding[], looked: ReadonlySet<string>): void {
    for (const holding of holdings) {
      const consumer = consumerId(holding)
      const known = new Set(holding.known.map(({ seq }) => rowId(holding, seq)))
      if (!looked.has(consumer)) continue
      for (const [id, row] of this.#rows) {
        if (!id.startsWith(`${consumer}/`) || row.state !== 'running' || row.token !== holding.token) continue
        if (known.has(id)) continue
        Object.assign(row, { state: 'retry', attempt: row.attempt - 1 })
        this.#services.tally.met('claim without an answer undone')
      }
    }
  }

  /** The store may have made waiting rows due. */
  promoted(consumer: ConsumerName): void {
    const prefix = `${consumerId(consumer)}/`
    for (const [id, row] of this.#rows)
      if (id.startsWith(prefix) && row.state === 'waiting') Object.assign(row, { state: 'retry', dueAtMs: 0 })
  }

  /** Rows that were opened and never closed. */
  get rows(): ReadonlyMap<string, { readonly state: string }> {
    return this.#rows
  }

  /** Consumers that these processes hold, know to hold, and have not given back. */
  heldBy(processes: ReadonlySet<string>): string[] {
    const { now } = this.#services
    return [...this.#grants]
      .filter(
        ([, { process, known, released, untilMs }]) =>
          known && processes.has(process) && !released && untilMs > now(),
      )
      .map(([id]) => id)
  }
}

const rowId = (consumer: ConsumerName, seq: number) => `${consumerId(consumer)}/${seq}`

function describe(id: string, settlement: Settlement): string {
  const { tick, seq, runs, opened, closed, rescheduled, dead, published } = settlement
  const place = seq === Number.MAX_SAFE_INTEGER ? `${tick}.end` : `${tick}.${seq}`
  const outcomes = runs.map((run) => `${run.seq}:${run.outcome}`).join(' ')
  return `settles ${id} up to ${place}, revision ${settlement.revision}: [${outcomes}] opened ${opened.map(({ event, state }) => `${event.seq}:${state}`).join(' ') || '-'}, closed ${closed.map((each) => each.seq).join(' ') || '-'}, again ${rescheduled.map((each) => each.seq).join(' ') || '-'}, dead ${dead.map(({ event }) => event.seq).join(' ') || '-'}, published ${published.length}`
}
