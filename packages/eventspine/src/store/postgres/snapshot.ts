// Postgres snapshots (`xmin:xmax:xip,…`), read well enough to put rows back under the tick that first saw them.

export interface Snapshot {
  readonly xmin: number
  /** The first transaction id not yet given out. */
  readonly xmax: number
  /** Transactions that were open. */
  readonly open: ReadonlySet<number>
}

export function parseSnapshot(text: string): Snapshot {
  const [xmin = '', xmax = '', open = ''] = text.split(':')
  return {
    xmin: Number(xmin),
    xmax: Number(xmax),
    open: new Set(open === '' ? [] : open.split(',').map(Number)),
  }
}

export function sees(snapshot: Snapshot, xid: number): boolean {
  return xid < snapshot.xmin || (xid < snapshot.xmax && !snapshot.open.has(xid))
}
