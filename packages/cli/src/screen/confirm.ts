// Asks before something is done that cannot be taken back. Where nobody can be asked, the flag is needed.
import { createInterface } from 'node:readline/promises'
import { CommandError } from '../failure.js'
import type { Screen } from './screen.js'

/** Returns when the answer is yes. Throws otherwise, and without a terminal unless `yes`. */
export async function confirm(screen: Screen, question: string, yes: boolean | undefined): Promise<void> {
  if (yes === true) return
  if (!screen.interactive) {
    throw new CommandError(
      'CONFIRMATION_NEEDED',
      `${question} There is nobody to ask here: add --yes to say so.`,
      { field: '--yes' },
    )
  }
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await reader.question(`${question} [y/N] `)
    if (/^y(es)?$/i.test(answer.trim())) return
  } finally {
    reader.close()
  }
  throw new CommandError('NOT_CONFIRMED', 'Nothing was done.', { exitCode: 1 })
}
