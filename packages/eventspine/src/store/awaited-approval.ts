// What every store shows of a decision that an instance waits for: where it stands, with what its history says of it.
import { type AwaitedApproval, type Entry, questionTextMax } from '../workflow/port.js'

interface Asked {
  readonly place: string
  readonly dueAtMs: number | null
  readonly open: number
}

/** `entry`: the one that asks. */
export function awaitedApproval(
  { place, dueAtMs, open }: Asked,
  { name, data, atMs }: Pick<Entry, 'name' | 'data' | 'atMs'>,
): AwaitedApproval {
  const { to, text } = JSON.parse(data ?? '{}') as { readonly to?: string; readonly text?: string }
  return {
    name,
    question: place,
    ...(to === undefined ? {} : { to: shortened(to) }),
    ...(text === undefined ? {} : { text: shortened(text) }),
    ...{ askedAtMs: atMs, dueAtMs, open },
  }
}

// Never in the middle of a character.
function shortened(text: string): string {
  const signs = [...text.slice(0, 2 * questionTextMax + 2)]
  return signs.length > questionTextMax ? `${signs.slice(0, questionTextMax).join('')}…` : text
}
