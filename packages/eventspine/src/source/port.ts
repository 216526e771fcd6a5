// What imports need from a store: how far each has come, moved on together with its events.
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
