// What the API answers about the system as a whole: its overview, its map, its contracts.

export interface Finding {
  readonly severity: 'error' | 'warning' | 'info'
  readonly subject: string
  readonly message: string
  readonly advice: string
}

export interface Figures {
  readonly at: string
  readonly in: number | null
  readonly out: number | null
  readonly subscriptions: readonly {
    readonly name: string
    readonly state: 'active' | 'paused'
    readonly lagEvents: number
    readonly lagSeconds: number
    readonly perSecond: number | null
    readonly retrying: number
    readonly dead: number
  }[]
  readonly deadLetters: {
    readonly total: number
    readonly byCategory: readonly { readonly category: string; readonly count: number }[]
  }
  readonly breakers: { readonly open: number; readonly halfOpen: number }
  readonly workers: number
  readonly oldestTransactionMs: number | null
  readonly verdict: 'healthy' | 'warning' | 'critical'
  readonly findings: readonly Finding[]
}

export interface Overview extends Figures {
  readonly history: readonly {
    readonly at: string
    readonly in: number
    readonly out: number
    readonly lagSeconds: number
    readonly dead: number
  }[]
  readonly since: string | null
}

export interface MapNode {
  /** Kind and name, such as event:orders.order-placed. */
  readonly id: string
  readonly kind: 'source' | 'event' | 'subscription' | 'workflow' | 'schedule' | 'reconciler' | 'webhook'
  readonly name: string
  readonly context: string | null
  readonly versions: readonly number[]
  readonly declared: boolean
  readonly seen: boolean
}

export interface MapEdge {
  readonly from: string
  readonly to: string
  readonly declared: boolean
  readonly seen: boolean
  readonly perSecond: number
  readonly lagSeconds: number | null
  readonly dead: number | null
}

export interface SystemMap {
  readonly nodes: readonly MapNode[]
  readonly edges: readonly MapEdge[]
  /** The newest events of the log, which is what was looked at. */
  readonly sample: { readonly events: number; readonly fromMs: number | null; readonly toMs: number }
}

export interface Contract {
  readonly type: string
  readonly version: number
  readonly schema: Readonly<Record<string, unknown>> | null
  readonly description: string | null
  readonly app: string
  readonly registeredAtMs: number
  /** Parts of the map from which one came lately. */
  readonly producers: readonly string[]
  readonly consumers: readonly {
    readonly name: string
    readonly app: string
    readonly reads: number | null
  }[]
}

export interface ContractFinding {
  readonly severity: 'breaking' | 'notice'
  readonly kind: string
  readonly type: string
  readonly version: number
  readonly consumer: { readonly name: string; readonly app: string } | null
  readonly message: string
  readonly misfits: readonly { readonly path: string; readonly message: string }[]
}

export interface Contracts {
  readonly items: readonly Contract[]
  readonly findings: readonly ContractFinding[]
}
