// Which transactions a reader sees, in the text form of Postgres' pg_snapshot: `xmin:xmax:xip,xip`.

export interface Snapshot {
  /** Every transaction below it had ended. */
  readonly xmin: number
  /** No transaction at or above it is seen. */
  readonly xmax: number
  /** Those between that were still open. */
  readonly open: readonly number[]
}

export function snapshotText({ xmin, xmax, open }: Snapshot): string {
  return `${xmin}:${xmax}:${open.join(',')}`
}

export function snapshotOf(text: string): Snapshot {
  const [xmin = '', xmax = '', open = ''] = text.split(':')
  return {
    xmin: Number(xmin),
    xmax: Number(xmax),
    open: open === '' ? [] : open.split(',').map(Number),
  }
}

export function sees(snapshot: Snapshot, xid: number): boolean {
  if (xid < snapshot.xmin) return true
  return xid < snapshot.xmax && !snapshot.open.includes(xid)
}
