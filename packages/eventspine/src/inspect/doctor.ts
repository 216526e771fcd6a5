// What is wrong, judged from numbers that the store gives, each with what to do about it.
import type { BreakerState, WorkerRow } from '../deliver/port.js'
import { shellWord } from '../kernel/index.js'
import type { SourceLeaseView, TableStanding } from '../source/port.js'
import type { EndpointStanding } from '../webhook/port.js'
import { counted, grouped } from './counted.js'
import { heldBy, lagAdvice } from './doctor-lag.js'
import { lettersWait } from './doctor-letters.js'
import { otherFindings } from './doctor-others.js'
import { type PersonalStanding, personalFindings } from './doctor-personal.js'
import { type LateSchedule, scheduleFindings } from './doctor-schedules.js'
import { settingFindings } from './doctor-settings.js'
import { tableFindings } from './doctor-tables.js'
import { newerFindings, versionFindings } from './doctor-versions.js'
import type { DatabaseHealth, NewerEvents, OpenVersion, SubscriptionView } from './port.js'

export interface Finding {
  /** `error`: events are late, at risk or miscounted. `warning`: a person should look. `info`: as ordered. */
  readonly severity: 'error' | 'warning' | 'info'
  /** What it is about: `subscription orders`, `breaker stripe`, `database`. */
  readonly subject: string
  readonly message: string
  /** A command, or what to change. */
  readonly advice: string
  /** What to do at `place`, for whoever looks at it in the console, which has a button for it. Left out where `advice` says what the
   *  console cannot do. */
  readonly here?: string
  /** Where it is looked at and mended; null where that is outside of Eventspine, or in the code. */
  readonly place: FindingPlace | null
}

export interface FindingPlace {
  readonly kind: 'subscription' | 'dead-letters' | 'workflows' | 'breakers' | 'webhooks' | 'workers'
  /** Of the subscription (its dead letters), or of the workflow; null for all of the kind. */
  readonly name: string | null
}

export interface SubscriptionDiagnosis {
  readonly name: string
  /** The app that registered it last. */
  readonly app: string
  readonly state: 'active' | 'paused'
  readonly priority: 'alarm' | 'normal'
  readonly shards: number
  readonly matched: number
  readonly completed: number
  readonly retrying: number
  /** Discarded ones included: they ended as dead letters. */
  readonly dead: number
  /** Dead letters of its replays that wait for a person. */
  readonly replayDead: number
  readonly discarded: number
  readonly skipped: number
  /** Keys that wait behind a dead letter of their own. */
  readonly haltedKeys: number
  /** matched = completed + retrying + dead + skipped. */
  readonly balanced: boolean
  /** Events that it still has to take; where `lagExact` is false, about so many. */
  readonly lagEvents: number
  readonly lagExact: boolean
  readonly lagSeconds: number
  readonly leaseMs: number
  /** Present size of its batches in this process, or the limit when it runs elsewhere. */
  readonly batchEvents: number
  readonly owners: readonly string[]
}

export interface DoctorReport {
  /** No finding is an error. */
  readonly healthy: boolean
  /** Errors first. */
  readonly findings: readonly Finding[]
  readonly subscriptions: readonly SubscriptionDiagnosis[]
  readonly database: DatabaseHealth
}

export interface DoctorInput {
  /** The app that asks: it is judged by what it defines, and not by what others do on the same log. */
  readonly app: {
    readonly name: string
    readonly subscriptions: readonly { readonly name: string }[]
    readonly workflows: readonly { readonly name: string; readonly version: number }[]
  }
  readonly subscriptions: readonly SubscriptionView[]
  readonly breakers: readonly BreakerState[]
  /** Of webhooks, those that are disabled. */
  readonly endpoints: readonly EndpointStanding[]
  readonly workers: readonly WorkerRow[]
  readonly database: DatabaseHealth
  /** Names of those sources of the app that workers run. */
  readonly sources: readonly string[]
  readonly sourceLeases: readonly SourceLeaseView[]
  /** Batch sizes of the consumers of this process, by subscription. */
  readonly batches: ReadonlyMap<string, number>
  /** That open instances of the app's workflows run on. */
  readonly versions: readonly OpenVersion[]
  /** That wait for a process that knows their version. */
  readonly newer: readonly NewerEvents[]
  readonly personal: PersonalStanding
  /** Schedules of any app on the log with a tick that nobody took yet. */
  readonly schedules: readonly LateSchedule[]
  /** Table sources of the app in this cell. */
  readonly tables: readonly TableStanding[]
}

const lagSecondsMax = 60
const transactionSecondsMax = 60
const partitionsAheadMin = 2
const versionMin = 15
const rank = { error: 0, warning: 1, info: 2 }

export function diagnose(input: DoctorInput): DoctorReport {
  const { app, database, breakers, batches } = input
  const subscriptions = input.subscriptions.map((each) => diagnosisOf(each, batches))
  const defined = new Set(app.subscriptions.map(({ name }) => name))
  const own = subscriptions.filter((each) => defined.has(each.name) || each.app === app.name)
  const gone = own.filter((each) => !defined.has(each.name) && each.owners.length === 0)
  const judged = own.filter((each) => !gone.includes(each))
  const others = subscriptions.filter((each) => !own.includes(each))
  const findings = [
    ...workerFindings(input.workers, judged),
    ...subscriptions.flatMap(balanceFindings),
    // A breaker that is open stands before what it holds back.
    ...breakers.filter(({ key }) => key === '').flatMap(breakerFindings),
    ...[...judged].sort(worse).flatMap((each) => subscriptionFindings(each, heldBy(input, each.name))),
    ...gone.flatMap(goneFindings),
    ...otherFindings(others, lagSecondsMax),
    ...scheduleFindings(input.schedules, subscriptions),
    ...input.sources.flatMap((name) =>
      sourceFindings(
        name,
        input.sourceLeases.filter(({ source, live }) => live && source === name),
      ),
    ),
    ...keyFindings(breakers.filter(({ key, state }) => key !== '' && state !== 'closed')),
    ...endpointFindings(input.endpoints),
    ...databaseFindings(database),
    ...transactionFindings(database.oldestTransaction),
    ...settingFindings(database.settings),
    ...input.tables.flatMap(tableFindings),
    ...input.versions.flatMap((version) => versionFindings(version, app)),
    ...personalFindings(input.personal),
    ...newerFindings(
      input.newer,
      input.subscriptions.filter(({ name }) => judged.some((each) => each.name === name)),
    ),
  ].sort((a, b) => rank[a.severity] - rank[b.severity])
  return {
    healthy: findings.every(({ severity }) => severity !== 'error'),
    findings,
    subscriptions,
    database,
  }
}

/** Who is late, by how much, then who has the most dead letters: among equals a name must not decide what is seen first. */
function worse(a: SubscriptionDiagnosis, b: SubscriptionDiagnosis): number {
  const late = ({ lagSeconds }: SubscriptionDiagnosis) => (lagSeconds > lagSecondsMax ? lagSeconds : 0)
  const letters = ({ dead, discarded, replayDead }: SubscriptionDiagnosis) => dead - discarded + replayDead
  return late(b) - late(a) || letters(b) - letters(a) || b.haltedKeys - a.haltedKeys
}

function diagnosisOf(view: SubscriptionView, batches: ReadonlyMap<string, number>): SubscriptionDiagnosis {
  const { on: _on, policies, ...rest } = view
  const dead = view.dead + view.discarded
  return {
    ...rest,
    dead,
    balanced: view.matched === view.completed + view.retrying + dead + view.skipped,
    leaseMs: Number(policies['leaseMs'] ?? 0),
    batchEvents: batches.get(view.name) ?? Number(policies['batchEventsMax'] ?? 0),
  }
}

class Findings {
  readonly all: Finding[] = []
  readonly #subject: string
  readonly #place: FindingPlace | null

  constructor(subject: string, place: FindingPlace | null) {
    this.#subject = subject
    this.#place = place
  }

  when(
    condition: boolean,
    severity: Finding['severity'],
    message: string,
    advice: string,
    place: FindingPlace | null = this.#place,
    here?: string,
  ): this {
    const told = { severity, subject: this.#subject, message, advice, place }
    if (condition) this.all.push(here === undefined ? told : { ...told, here })
    return this
  }
}

/** What it still has to take. */
const eventsOf = ({ lagEvents, lagExact }: SubscriptionDiagnosis) =>
  `${lagExact ? '' : 'about '}${counted(lagEvents, 'event')}`

const everyOne = (kind: FindingPlace['kind']): FindingPlace => ({ kind, name: null })

function workerFindings(
  workers: readonly WorkerRow[],
  subscriptions: readonly SubscriptionDiagnosis[],
): Finding[] {
  const waits = subscriptions.some((view) => view.state === 'active' && view.lagEvents + view.retrying > 0)
  return new Findings('workers', everyOne('workers')).when(
    workers.length === 0 && subscriptions.length > 0,
    waits ? 'error' : 'warning',
    'No worker is running: events are stored, nothing is delivered.',
    'eventspine worker',
  ).all
}

// Of every app: what does not add up is a fault of the log that they share.
function balanceFindings(each: SubscriptionDiagnosis): Finding[] {
  const { name, matched, completed, retrying, dead, skipped } = each
  const sum = completed + retrying + dead + skipped
  return new Findings(`subscription ${name}`, { kind: 'subscription', name }).when(
    !each.balanced,
    'error',
    `${grouped(matched)} matched, but ${grouped(completed)} completed + ${grouped(retrying)} retrying + ${grouped(dead)} dead + ${grouped(skipped)} skipped is ${grouped(sum)}.`,
    'This must never happen: please report it with the output of eventspine doctor --json',
  ).all
}

function goneFindings(each: SubscriptionDiagnosis): Finding[] {
  const { name, app, dead, replayDead, discarded } = each
  return new Findings(`subscription ${name}`, { kind: 'subscription', name }).when(
    true,
    'warning',
    `App "${app}" defines it no more and no worker runs it: ${eventsOf(each)} and ${counted(dead - discarded + replayDead, 'dead letter')} wait for nobody, and retention is held back.`,
    `Define it again, or forget it for good: eventspine subscriptions remove ${name}`,
  ).all
}

const movesOn = 'Mend the cause, then retry, cancel or terminate each instance'

function subscriptionFindings(each: SubscriptionDiagnosis, breaker: string | undefined): Finding[] {
  const { name, haltedKeys, lagSeconds } = each
  const active = each.state === 'active'
  // A letter that halts an instance is no letter to redrive: it is the instance that is moved on.
  const instances = name.startsWith('workflow-') && haltedKeys > 0
  const letters: FindingPlace = instances ? everyOne('workflows') : { kind: 'dead-letters', name }
  return new Findings(`subscription ${name}`, { kind: 'subscription', name })
    .when(
      !active,
      'info',
      `Paused, with ${eventsOf(each)} behind its cursor.`,
      `eventspine subscriptions resume ${name}`,
      undefined,
      'Resume it',
    )
    .when(
      active && lagSeconds > lagSecondsMax,
      each.priority === 'alarm' || each.owners.length === 0 ? 'error' : 'warning',
      `${grouped(Math.round(lagSeconds))} s and ${eventsOf(each)} behind.`,
      lagAdvice(each, breaker),
      breaker === undefined ? undefined : everyOne('breakers'),
    )
    .when(
      active && each.owners.length === 0 && lagSeconds <= lagSecondsMax,
      'warning',
      'No worker runs it.',
      'Start a worker: eventspine worker',
    )
    .when(
      each.dead > each.discarded || each.replayDead > 0,
      'warning',
      lettersWait(each.dead - each.discarded, each.replayDead),
      // Letters of what starts instances halt none.
      name.startsWith('workflow-') && haltedKeys > 0
        ? 'eventspine workflows list --state needs-attention, then what eventspine workflows show says of each'
        : `eventspine dead list --subscription ${name}, then eventspine redrive --subscription ${name}`,
      letters,
      instances ? movesOn : 'See why, then redrive or discard them',
    )
    .when(
      haltedKeys > 0,
      'warning',
      `${counted(haltedKeys, 'key is', 'keys are')} halted by a dead letter: later events of the same key wait.`,
      name.startsWith('workflow-')
        ? 'Mend the cause, then retry, cancel or terminate each instance: eventspine workflows list --state needs-attention'
        : `Mend and redrive the letters: eventspine redrive --subscription ${name}. Or discard them with a reason`,
      letters,
      instances ? movesOn : 'Mend the cause, then redrive or discard the letters',
    ).all
}

function breakerFindings({ name, tenant, state, opensForMs, lastError }: BreakerState): Finding[] {
  const wait = opensForMs > 0 ? `probes go in ${Math.ceil(opensForMs / 1000)} s` : 'probes may go'
  return new Findings(
    `breaker ${name}${tenant === '' ? '' : ` (tenant ${tenant})`}`,
    everyOne('breakers'),
  ).when(
    state !== 'closed',
    'warning',
    `Is ${state}, ${wait}. Last error: ${lastError ?? 'none, it was opened by hand'}.`,
    'Mend the service behind it: its work is parked, and goes on by itself when probes succeed',
  ).all
}

const failuresMax = 3

function sourceFindings(name: string, leases: readonly SourceLeaseView[]): Finding[] {
  const failing = leases.filter(({ state }) => state === 'failing')
  const [worst] = [...failing].sort((a, b) => b.failures - a.failures)
  const where = failing.length < leases.length ? ` in ${failing.length} of ${leases.length} workers` : ''
  return new Findings(`source ${name}`, null)
    .when(
      leases.length === 0,
      'warning',
      'No worker runs it: nothing comes in.',
      'Start a worker: eventspine worker',
    )
    .when(
      worst !== undefined,
      where === '' && (worst?.failures ?? 0) >= failuresMax ? 'error' : 'warning',
      `Ended ${counted(worst?.failures ?? 0, 'time', 'times in a row')}${where}, the last time with: ${worst?.error}`,
      'Mend what it says, or what it connects to: it is started again by itself, at least every 15 s',
    ).all
}

const parked = 'Their work is parked, and goes on by itself when probes succeed; other keys are not held'

/** Of keys there may be thousands: one finding for all of a breaker. */
function keyFindings(open: readonly BreakerState[]): Finding[] {
  return [...new Set(open.map(({ name }) => name))].flatMap((breaker) => {
    const all = open.filter(({ name }) => name === breaker)
    const [{ tenant, key, lastError } = {}] = all
    return new Findings(`breaker ${breaker}`, everyOne('breakers')).when(
      true,
      'warning',
      `Holds the work of ${counted(all.length, 'key')}, among them "${key}" of tenant ${tenant}. Last error: ${lastError ?? 'none, it was opened by hand'}.`,
      `eventspine breakers lists them. ${parked}`,
      undefined,
      `See which they are. ${parked}`,
    ).all
  })
}

function endpointFindings(disabled: readonly EndpointStanding[]): Finding[] {
  return [...new Set(disabled.map(({ webhooks }) => webhooks))].flatMap((webhooks) => {
    const all = disabled.filter((each) => each.webhooks === webhooks)
    const [{ tenant, endpoint }] = all as [EndpointStanding]
    // An endpoint is of one tenant: without it the command would enable one of the app's own, which is another.
    const own = `--tenant ${shellWord(tenant)}`
    return new Findings(`webhooks ${webhooks}`, everyOne('webhooks')).when(
      true,
      'warning',
      `Nothing is sent to ${counted(all.length, 'endpoint that is', 'endpoints that are')} disabled, among them "${endpoint}" of tenant ${tenant}.`,
      `eventspine webhooks list --state disabled shows why. Once it is mended: eventspine webhooks enable ${webhooks} ${shellWord(endpoint)} ${own}, then eventspine redrive --subscription webhooks-${webhooks}-send --key ${shellWord(endpoint)} ${own}`,
      undefined,
      'See why. Once it is mended enable each, then redrive its dead letters',
    ).all
  })
}

function databaseFindings({ version, partitionsAhead, rowsInDefaultPartition }: DatabaseHealth): Finding[] {
  return new Findings('database', null)
    .when(
      Number.parseInt(version, 10) < versionMin,
      'error',
      `PostgreSQL ${version} is older than ${versionMin}, the oldest that is supported.`,
      `Upgrade the server to PostgreSQL ${versionMin} or newer`,
    )
    .when(
      partitionsAhead < partitionsAheadMin,
      'error',
      `${partitionsAhead} partitions are made ahead; at least ${partitionsAheadMin} should be.`,
      'A worker makes them: eventspine worker. If one runs, look for a session that blocks it, and whether its role may create tables',
    )
    .when(
      rowsInDefaultPartition > 0,
      'error',
      `${counted(rowsInDefaultPartition, 'event lies', 'events lie')} in the default partition: partitions were not made in time.`,
      'Nothing is lost; they go with retention, row by row. Keep a worker running: eventspine worker',
    ).all
}

function transactionFindings(oldest: DatabaseHealth['oldestTransaction']): Finding[] {
  if (oldest === null) return []
  const { ageSeconds, application, state, processId } = oldest
  const prepared = state === 'prepared'
  const holder = prepared
    ? `prepared transaction "${application}"`
    : `"${application || 'unnamed'}" (process ${processId}, ${state || 'state hidden'})`
  return new Findings('database', null).when(
    ageSeconds > transactionSecondsMax,
    'warning',
    `A transaction of ${holder} has been open for ${grouped(Math.round(ageSeconds))} s and holds back cleaning.`,
    prepared
      ? `ROLLBACK PREPARED '${application}', or COMMIT PREPARED`
      : `End it there, or: SELECT pg_terminate_backend(${processId})`,
  ).all
}
