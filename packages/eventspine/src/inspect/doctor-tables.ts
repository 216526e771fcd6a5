// What is wrong with table sources: changes that become no events, or events that nobody wants any more.
import type { TableStanding } from '../source/port.js'
import type { Finding } from './doctor.js'

type Judged = readonly [Finding['severity'], message: string, advice: string]

const judge: Readonly<Record<TableStanding['state'], (standing: TableStanding) => Judged | undefined>> = {
  installed: () => undefined,
  absent: ({ source, table }) => [
    ...(['error', `Is not installed: changes of ${table} become no events.`] as const),
    `eventspine sources install ${source}`,
  ],
  different: ({ source, table }) => [
    ...(['error', `Is installed on ${table} in another shape than the app says.`] as const),
    `eventspine sources install ${source}`,
  ],
  disabled: ({ source, table }) => [
    ...(['error', `Its triggers on ${table} are switched off: changes become no events.`] as const),
    `eventspine sources install ${source}. What was written meanwhile is told by no event`,
  ],
  lost: ({ source, table }) => [
    ...([
      'error',
      `Its slot is lost: the server removed what was not read (max_slot_wal_keep_size), so that changes of ${table} are told by no event.`,
    ] as const),
    `eventspine sources install ${source} begins anew; then compare what follows the table with it`,
  ],
  impossible: ({ source, reason }) => [
    ...(['error', reason ?? 'The table is not as the source needs it.'] as const),
    `Mend the source or the table, then: eventspine sources install ${source}`,
  ],
  abandoned: ({ source, table }) => [
    ...([
      'warning',
      `The app does not define it any more, and changes of ${table ?? 'its table'} still become events.`,
    ] as const),
    `Define it again, or: eventspine sources uninstall ${source}`,
  ],
}

const lagSecondsMax = 60
const keptBytesMax = 1024 ** 3
const mebibytes = (bytes: number) => `${Math.round(bytes / 1024 ** 2).toLocaleString('en')} MiB`

function lagging({ state, lag }: TableStanding): Judged | undefined {
  if (lag === null || state === 'lost') return undefined
  const { bytes, seconds, keptBytes, walStatus } = lag
  const far = `${Math.round(seconds)} s and ${mebibytes(bytes)} behind; its slot keeps ${mebibytes(keptBytes)} of the server's log`
  if (walStatus === 'unreserved')
    return [
      'error',
      `${far}, and is about to be lost.`,
      'Start a worker now, or raise max_slot_wal_keep_size',
    ]
  if (seconds > lagSecondsMax || keptBytes > keptBytesMax)
    return [
      ...(['error', `${far}: it grows until the disk is full, or until max_slot_wal_keep_size.`] as const),
      'Start a worker: eventspine worker. If one runs, its log says why it does not come on; a transaction that is open for long holds it back, too',
    ]
  return undefined
}

export function tableFindings(standing: TableStanding): readonly Finding[] {
  const judged = [judge[standing.state](standing), lagging(standing)]
  return judged
    .filter((each) => each !== undefined)
    .map(([severity, message, advice]) => ({
      severity,
      subject: `source ${standing.source}`,
      message,
      advice,
      place: null,
    }))
}
