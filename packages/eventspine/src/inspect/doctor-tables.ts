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

export function tableFindings(standing: TableStanding): readonly Finding[] {
  const judged = judge[standing.state](standing)
  if (judged === undefined) return []
  const [severity, message, advice] = judged
  return [{ severity, subject: `source ${standing.source}`, message, advice }]
}
