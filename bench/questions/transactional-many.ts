// The same with one statement for all rows of a batch: ours by a handler of many, pg-boss by its worker, which is given batches, too.
// The others call a handler for each job. Target: at least 2 times the best peer.
import { alternate, atLeast, bestPeer, medianOf, type Question, ratio } from '../core/answer.js'
import { floodUnits, throughputOf } from '../core/measure.js'
import { wholePart } from '../core/run.js'
import type { SystemName } from '../systems/system.js'

const question = 'transactional-many'
const able: readonly SystemName[] = ['eventspine', 'pg-boss']

export const transactionalMany: Question = {
  name: question,
  title: 'Transactional handlers of many, one statement for all rows',
  async measure(lab) {
    const contestants = lab.systems
      .filter((system) => able.includes(system))
      .map((system) => ({
        system,
        run: () => throughputOf(lab, system, { ...wholePart, transactional: 'many' }),
      }))
    const figures = await alternate(lab, question, floodUnits, contestants)
    const reached = ratio(medianOf(figures, 'eventspine', 'handled'), bestPeer(figures, 'handled'))
    return { figures, verdicts: [atLeast(question, '>= 2x the best peer', reached, 2)] }
  },
}
