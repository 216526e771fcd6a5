// What sources need from a store: how far imports have come, moved on together with their events; who runs what brings
// messages in, and what it has taken; and the triggers of tables.
import type { AppendOutcome } from '../append/port.js'
import type { NewEvent } from '../event/stored.js'
import type { TableName, TableOperation } from './table.js'

export interface ImportStanding {
  readonly id: string
  readonly source: string
  /** Name of the file, for people. */
  readonly file: string
  readonly sizeBytes: number
  readonly state: 'running' | 'completed'
  /** All records up to there are dealt with. */
  readonly offsetBytes: number
  /** Lines up to there. */
  readonly lines: number
  readonly records: number
  readonly published: number
  /** Events that were in the log before, under ids that the source gives. */
  readonly known: number
  readonly kept: number
  readonly startedAtMs: number
  readonly endedAtMs: number | null
}

/** How far an import has come behind a batch; all numbers are those of the whole import. */
export type ImportProgress = Pick<
  ImportStanding,
  'offsetBytes' | 'lines' | 'records' | 'published' | 'known' | 'kept'
> & {
  readonly completed: boolean
}

export interface ImportPort {
  /** Begins an import, or finds the one of this id as it stands. */
  openImport(start: Pick<ImportStanding, 'id' | 'source' | 'file' | 'sizeBytes'>): Promise<ImportStanding>
  /** Appends events and moves the import on, together, if it still stands at `fromBytes`. Of `published` those that are
   *  duplicates count as `known` instead. Answers what became of each event;
   *  null where the import stands elsewhere. Where one is a conflict nothing was written. */
  advanceImport(
    id: string,
    fromBytes: number,
    progress: ImportProgress,
    events: readonly NewEvent[],
  ): Promise<readonly AppendOutcome[] | null>
  /** Newest first, at most 100. */
  imports(): Promise<readonly ImportStanding[]>
}

/** Who runs a source, and how it fares. */
export interface SourceLease {
  readonly source: string
  /** Empty where one worker of the cell runs it, else a number. */
  readonly slot: string
  readonly worker: string
  /** Machine, process and its start: lets a neighbour see that it is gone. */
  readonly identity: string
  readonly state: 'running' | 'failing'
  /** How often it ended by itself, in a row. */
  readonly failures: number
  /** Why it did so last. */
  readonly error: string | null
}

export interface SourceLeaseView extends SourceLease {
  /** Its time is not over, by the database's clock. */
  readonly live: boolean
}

export interface SourceLeasePort {
  /** Takes a slot, or keeps it, for `leaseMs`: it must be this worker's, or its time over, or of the identity `dead`.
   *  Answers null where it is held now, else the identity of who has it; empty where that one has just gone. */
  leaseSource(lease: SourceLease, leaseMs: number, dead?: string): Promise<string | null>
  /** Gives it back, if it is this worker's. */
  releaseSource(lease: Pick<SourceLease, 'source' | 'slot' | 'worker'>): Promise<void>
  /** All of them, by source and slot; those whose time is over are there for at least an hour. */
  sourceLeases(): Promise<readonly SourceLeaseView[]>
}

/** A table source as a cell installs it. */
export interface TablePlan {
  readonly source: string
  readonly app: string
  readonly table: TableName
  readonly type: string
  readonly columns: readonly string[]
  readonly redact: Readonly<Record<string, 'hide' | 'hash'>>
  readonly key: readonly string[]
  readonly tenant: { readonly constant: string; readonly column: string | undefined }
  readonly operations: readonly TableOperation[]
  readonly through: 'trigger' | 'replication'
  readonly notify: boolean
  /** Of JSON; a larger event leaves its largest columns out. */
  readonly bytesMax: number
}

/** `installed`: as the app says. `different`: in another shape, so install it again. `disabled`: somebody switched its
 *  triggers off. `lost`: its slot is no good any more. `impossible`: the table is not as the source needs it. `abandoned`: the app does not define it any more. */
export type TableState =
  | 'installed'
  | 'absent'
  | 'different'
  | 'disabled'
  | 'lost'
  | 'impossible'
  | 'abandoned'

export interface TableStanding {
  readonly source: string
  /** `schema.table`; null where nobody says. */
  readonly table: string | null
  readonly state: TableState
  /** Why, where it is impossible. */
  readonly reason: string | null
  /** Through replication; null through triggers, and where there is no slot. */
  readonly lag: ReplicationLag | null
}

export interface ReplicationLag {
  /** Written to the server's log and not read. */
  readonly bytes: number
  /** Since nothing more was there to read, by about 10 s. */
  readonly seconds: number
  /** What the slot keeps the server from removing. */
  readonly keptBytes: number
  /** Of the slot: `lost` where `max_slot_wal_keep_size` took what was not read; `unreserved` just before. */
  readonly walStatus: 'reserved' | 'extended' | 'unreserved' | 'lost'
}

export interface ReplicationPort {
  /** Makes events of what the slot of a source holds and moves its position on, together; for one at a time. At least
   *  `changesMax` changes where there are so many, up to the end of a transaction. Null where somebody else is at it. */
  readReplication(plan: TablePlan, changesMax: number): Promise<{ readonly changes: number } | null>
  /** Lets the server forget what was read. */
  releaseReplication(plan: TablePlan): Promise<void>
}

export interface TablePort {
  /** What `installTable` would run. Throws REQUEST_INVALID where the table is not there or not fit. */
  tableSql(plan: TablePlan): Promise<string>
  /** Makes or replaces its triggers, in one transaction with an audit row. False where all stood as it should. Throws as
   *  `tableSql`, and OVERLOADED where somebody holds the table. */
  installTable(plan: TablePlan, actor: string): Promise<boolean>
  /** Removes what `installTable` made. False where nothing was there. */
  uninstallTable(source: string, actor: string): Promise<boolean>
  /** Of these, and of those that this app has installed and that no plan names. */
  tableStandings(app: string, plans: readonly TablePlan[]): Promise<readonly TableStanding[]>
}

/** Something that a source has taken and may meet again, such as an object of a bucket. */
export interface SourceItem {
  readonly item: string
  /** Another one is taken anew. */
  readonly version: string
}

/** Of what a source has taken, in the order of the bytes of UTF-8. */
export interface ItemRange {
  /** Behind this one; empty for the beginning. */
  readonly after: string
  /** Up to this one, with it; null for the end. */
  readonly upTo: string | null
  readonly prefix: string
  readonly limit: number
}

export interface SourceItemPort {
  sourceItems(source: string, range: ItemRange): Promise<readonly SourceItem[]>
  /** Notes what was taken, each once, under its newest version, and forgets what is gone, where it still has the version that is named. */
  noteSourceItems(source: string, taken: readonly SourceItem[], gone: readonly SourceItem[]): Promise<void>
}
