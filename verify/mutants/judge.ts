// Judges one mutant: caught when its test, which passes without the bug, fails with it.
import type { Ran } from './lane.js'
import { filesOf, type Mutant } from './mutant.js'

/** `broken`: nothing can be said, since the mutant or its test is at fault. */
export type Verdict = 'caught' | 'survived' | 'broken'

export interface Judgement {
  readonly mutant: Mutant
  readonly verdict: Verdict
  /** How it showed: the first line of the failure, or what is at fault. */
  readonly reason: string
  readonly seconds: number
}

// A mutant that is no program, or no SQL, fails every test and proves nothing.
const noProgram = /syntax error|could not determine data type|(column|relation|function) .* does not exist/i

export function judged(mutant: Mutant, { passed, failed, faults, planted, seconds }: Ran): Judgement {
  const answer = (verdict: Verdict, reason = '') => ({ mutant, verdict, reason, seconds })
  const messages = failed.flatMap((each) => each.result().errors?.map(({ message }) => message) ?? [])
  const unplanted = filesOf(mutant).filter((file) => !planted.has(file))
  const fault = faults[0] ?? messages.find((message) => noProgram.test(message))
  if (unplanted.length > 0) return answer('broken', `the test does not load ${unplanted.join(', ')}`)
  if (failed.length > 0 && !messages.some((message) => noProgram.test(message)))
    return answer('caught', firstLine(messages[0]))
  if (fault !== undefined) return answer('broken', firstLine(fault))
  return passed.length > 0 ? answer('survived') : answer('broken', 'no test has this title')
}

/** The named tests that do not pass in the product as it is, for each file. */
export const unfit = (names: readonly string[], { passed, failed }: Ran): readonly string[] =>
  names.filter(
    (name) =>
      failed.some(({ fullName }) => fullName.includes(name)) ||
      !passed.some(({ fullName }) => fullName.includes(name)),
  )

const firstLine = (text = '') => text.split('\n', 1)[0] ?? ''
