// What sources need from a store: how far imports have come, moved on together with their events; and who runs what
// brings messages in.
import type { AppendOutcome } from '../append/port.js'
import type { NewEvent } from '../event/stored.js'

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
  readonly kept: number
  readonly startedAtMs: number
  readonly endedAtMs: number | null
}

/** How far an import has come behind a batch; all numbers are those of the whole import. */
export type ImportProgress = Pick<
  ImportStanding,
  'offsetBytes' | 'lines' | 'records' | 'published' | 'kept'
> & {
  readonly completed: boolean
}

export interface ImportPort {
  /** Begins an import, or finds the one of this id as it stands. */
  openImport(start: Pick<ImportStanding, 'id' | 'source' | 'file' | 'sizeBytes'>): Promise<ImportStanding>
  /** Appends events and moves the import on, together, if it still stands at `fromBytes`. Answers what became of each event;
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
