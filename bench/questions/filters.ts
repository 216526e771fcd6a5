// How many events can a content filter judge, and what does it cost to ask a thousand of them about one event? Targets: a
// million events a second by one filter over ten fields, and a thousand together at a tenth of asking each at most.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { alternate, atLeast, medianOf, type Question, ratio, type Sample } from '../core/answer.js'
import type { Lab } from '../core/lab.js'

const question = 'filters'
const units = { judged: 'events/s' }
const program = fileURLToPath(new URL('./filters-run.mjs', import.meta.url))

export const filters: Question = {
  name: question,
  title: 'Content filters: one, and a thousand of them, on events of ten fields',
  async measure(lab) {
    const contestant = (system: string, way: string) => ({ system, run: () => judged(lab, way) })
    const figures = await alternate(lab, question, units, [
      contestant('one filter', 'one'),
      contestant('1,000 filters one by one', 'each'),
      contestant('1,000 filters as a set', 'set'),
    ])
    const together = ratio(
      medianOf(figures, '1,000 filters as a set', 'judged'),
      medianOf(figures, '1,000 filters one by one', 'judged'),
    )
    return {
      figures,
      verdicts: [
        atLeast(
          question,
          '>= 1,000,000 events/s by one filter',
          medianOf(figures, 'one filter', 'judged'),
          1e6,
        ),
        atLeast(question, 'a set of 1,000 >= 10x as fast as one by one', together, 10),
      ],
    }
  },
}

/** In a process of its own, from the compiled package, as a user has it. */
async function judged(lab: Lab, way: string): Promise<Sample> {
  const seconds = Math.min(lab.options.scale.seconds, 5)
  const { stdout } = await promisify(execFile)(process.execPath, [program, way, String(seconds)])
  return { judged: Number(stdout) }
}
