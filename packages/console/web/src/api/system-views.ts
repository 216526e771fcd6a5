// What the API answers about the system as a whole: its overview, its map, its contracts. See views.ts.
import type {
  ContractFinding,
  ContractInUse,
  MapEdge as Edge,
  SystemMap as Map,
  MapNode as Node,
  Overview as Reading,
} from 'eventspine'

export type { ContractFinding, Finding, FindingPlace } from 'eventspine'

export interface MapNode extends Omit<Node, 'kind'> {
  /** `app`: another one on the log, drawn as one part. */
  readonly kind: Node['kind'] | 'app'
}

export interface MapEdge extends Edge {
  /** Of the subscriptions that it leads to; null where there are none, and until the server has two readings. */
  readonly takenPerSecond: number | null
  /** That is a share of it: see map-shares.ts. */
  readonly isShare?: boolean
}

export interface SystemMap extends Omit<Map, 'nodes' | 'edges'> {
  readonly nodes: readonly MapNode[]
  readonly edges: readonly MapEdge[]
}

/** Of one moment. Rates are null until the server has two readings. */
export interface Figures
  extends Pick<
    Reading,
    'awaitingApproval' | 'breakers' | 'workers' | 'oldestTransactionMs' | 'verdict' | 'findings'
  > {
  readonly at: string
  readonly in: number | null
  readonly out: number | null
  readonly subscriptions: readonly {
    readonly name: string
    readonly state: 'active' | 'paused'
    readonly lagEvents: number
    readonly lagExact: boolean
    readonly lagSeconds: number
    readonly perSecond: number | null
    readonly retrying: number
    readonly dead: number
    readonly replayDead: number
  }[]
  readonly deadLetters: { readonly total: number; readonly byCategory: Reading['deadLetters'] }
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

export interface Contract extends ContractInUse {
  /** Parts of the map from which one came lately. */
  readonly producers: readonly string[]
}

export interface Contracts {
  readonly items: readonly Contract[]
  readonly findings: readonly ContractFinding[]
}
