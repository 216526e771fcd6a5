// What the API answers, as far as pages show it. The OpenAPI document at /openapi.json says the whole of it.

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly cursor: string | null
  /** With a pattern: so many were looked at. */
  readonly scanned?: number
}

export interface EventView {
  readonly id: string
  readonly type: string
  readonly version: number
  readonly source: string
  readonly subject?: string | null
  readonly tenant: string
  readonly key?: string | null
  readonly time: string
  readonly recordedAt: string
  readonly data: unknown
  readonly correlationId: string
  readonly causationId?: string | null
  readonly traceparent: string
  readonly extensions: Readonly<Record<string, unknown>>
  readonly position: { readonly epoch: number; readonly seq: number }
}

export interface Failure {
  readonly category: string
  readonly name: string
  readonly message: string
  readonly stack: string | null
  readonly code: string | null
  readonly fingerprint: string
}

export interface Run {
  readonly round: number
  readonly attempt: number
  readonly startedAtMs: number
  readonly durationMs: number
  readonly outcome: 'done' | 'retry' | 'dead'
  readonly worker: string
  readonly failure: Failure | null
}

export interface Delivery {
  readonly id: string
  readonly subscription: string
  readonly replay: string | null
  readonly state: string
  readonly attempt: number
  readonly dueAtMs: number | null
  readonly failure: Failure | null
  readonly runs: readonly Run[]
}

export interface CausalNode {
  readonly event: EventView
  readonly children: readonly CausalNode[]
}

export interface EventDetails {
  readonly event: EventView
  readonly deliveries: readonly Delivery[]
  readonly chain: CausalNode
}

export interface Attempt {
  readonly round: number
  readonly attempt: number
  readonly worker: string
  readonly outcome: string
  readonly startedAtMs: number
  readonly endedAtMs: number
  readonly waitedMs: number
  readonly category: string | null
  readonly message: string | null
}

export interface TraceDelivery {
  readonly id: string
  readonly subscription: string
  readonly replay: string | null
  readonly state: string
  readonly dueAtMs: number | null
  readonly attempts: readonly Attempt[]
}

export interface TraceWorkflow {
  readonly id: string
  readonly workflow: string
  readonly version: number
  readonly state: string
  readonly startedAtMs: number
  readonly endedAtMs: number | null
  readonly entries: readonly Omit<HistoryEntry, 'data'>[]
}

export interface TraceEvent {
  readonly id: string
  readonly type: string
  readonly version: number
  readonly causationId: string | null
  readonly recordedAt: string
  readonly publisher: string | null
  readonly deliveries: readonly TraceDelivery[]
  readonly workflows: readonly TraceWorkflow[]
}

export interface Trace {
  readonly correlationId: string
  readonly events: readonly TraceEvent[]
  readonly spans: number
  readonly truncated: boolean
}

export interface Subscription {
  readonly name: string
  readonly app: string
  readonly state: 'active' | 'paused'
  readonly priority: string
  readonly on: readonly string[]
  readonly shards: number
  readonly policies: Readonly<Record<string, unknown>>
  readonly matched: number
  readonly completed: number
  readonly retrying: number
  readonly dead: number
  readonly discarded: number
  readonly skipped: number
  readonly haltedKeys: number
  readonly lagEvents: number
  readonly lagSeconds: number
  readonly owners: readonly string[]
  /** Of the last five minutes. */
  readonly handling?: {
    readonly p50Ms: number | null
    readonly p99Ms: number | null
    readonly perSecond: number
  }
}

export interface DeadLetter {
  readonly id: string
  readonly subscription: string
  readonly tenant: string
  readonly state: string
  readonly event: {
    readonly id: string
    readonly type: string
    readonly version: number
    readonly source: string
    readonly subject: string | null
    readonly key: string | null
    readonly time: string
    readonly data: unknown
    readonly claim: string | null
    readonly correlationId: string
  }
  readonly attempts: number
  readonly round: number
  readonly failure: Failure
  readonly halts: boolean
  readonly diedAtMs: number
  readonly redrive: string | null
  readonly resolvedAtMs: number | null
  readonly resolvedBy: string | null
  readonly reason: string | null
  /** Of its data as JSON Schema, where it is shown alone; null where nobody can tell. */
  readonly schema?: Readonly<Record<string, unknown>> | null
}

export interface DeadLetterGroup {
  readonly subscription: string
  readonly category: string
  readonly fingerprint: string
  readonly message: string
  readonly count: number
  readonly firstAtMs: number
  readonly lastAtMs: number
  /** Of the last 24 hours, oldest first. */
  readonly hourly?: readonly number[]
}

export interface Redrive {
  readonly id: string
  readonly state: 'canary' | 'running' | 'completed' | 'stopped'
  readonly filter: Readonly<Record<string, unknown>>
  readonly rate: number
  readonly canary: number
  readonly stopAtErrorRate: number
  readonly selected: number
  readonly sent: number
  readonly succeeded: number
  readonly failed: number
  readonly actor: string
  readonly reason: string | null
  readonly note: string | null
  readonly createdAtMs: number
  readonly endedAtMs: number | null
}

export interface RedrivePreview {
  readonly selected: number
  readonly guarded: number
  readonly groups: readonly DeadLetterGroup[]
}

export interface Replay {
  readonly id: string
  readonly subscription: string
  readonly state: 'running' | 'completed' | 'stopped'
  readonly fromMs: number | null
  readonly matched: number
  readonly completed: number
  readonly retrying: number
  readonly dead: number
  readonly progress: number
  readonly actor: string
  readonly createdAtMs: number
  readonly endedAtMs: number | null
}

export interface Worker {
  readonly id: string
  readonly identity: string
  readonly host: string
  readonly processId: number
  readonly version: string
  readonly startedAtMs: number
  readonly heartbeatAtMs: number
  readonly consumers: number
}

export interface Breaker {
  readonly name: string
  readonly tenant: string
  readonly key: string
  readonly state: 'closed' | 'open' | 'half-open'
  readonly failures: number
  readonly openedAtMs: number | null
  readonly opensForMs: number
  readonly lastError: string | null
}

export interface Endpoint {
  readonly webhooks: string
  readonly tenant: string
  readonly endpoint: string
  readonly failingSinceMs: number | null
  readonly failures: number
  readonly lastFailedAtMs: number | null
  readonly lastError: string | null
  readonly disabled: {
    readonly atMs: number
    readonly cause: string
    readonly by: string
    readonly reason: string | null
  } | null
}

export interface AuditEntry {
  readonly id: number
  readonly atMs: number
  readonly actor: string
  readonly action: string
  readonly target: string
  readonly details: Readonly<Record<string, unknown>>
}

export interface Schedule {
  readonly name: string
  readonly kind: 'schedule' | 'reconciler'
  readonly cron: string
  readonly timeZone: string
  readonly tenant: string
  readonly missed: string
  readonly event: string | null
  readonly description: string | null
  readonly tickedAtMs: number | null
  readonly nextAtMs: number | null
  readonly lateMs: number
}

export interface Instance {
  readonly tenant: string
  readonly workflow: string
  readonly id: string
  readonly version: number
  readonly state: string
  readonly entries: number
  readonly parent: { readonly workflow: string; readonly id: string; readonly place: string } | null
  readonly startedAtMs: number
  readonly changedAtMs: number
  readonly endedAtMs: number | null
  readonly wakeAtMs: number | null
  readonly deadlineAtMs: number | null
  readonly attention: { readonly letter: string; readonly message: string; readonly diedAtMs: number } | null
}

export interface HistoryEntry {
  readonly position: number
  readonly kind: string
  readonly place: string
  readonly name: string
  readonly data: unknown
  readonly atMs: number
}

export interface InstanceDetails extends Instance {
  readonly history: readonly HistoryEntry[]
  readonly questions: readonly {
    readonly approval: string
    readonly question: string
    readonly to?: string
    readonly text?: string
    readonly askedAtMs: number
  }[]
  readonly output?: unknown
  readonly failure?: Failure
}

export interface SessionView {
  readonly actor: string
  readonly scopes: readonly string[]
  readonly tenant: string | null
  readonly csrf: string | null
  readonly expiresAtMs: number | null
}
