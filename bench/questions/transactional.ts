// How many handlers per second that write one row in a transaction? Ours commits with the record of the delivery, so
// it happens exactly once; peers do the same in a transaction of their own (pg-boss: its `transactional` worker).
// Target: at least 2 times the best peer.
import { alternate, atLeast, bestPeer, medianOf, type Question, ratio } from '../core/answer.js'
import { floodUnits, throughputOf } from '../core/measure.js'
import { wholePart } from '../core/run.js'

const question = 'transactional'

export const transactional: Question = {
  name: question,
  title: 'Transactional handlers, one row written each',
  async measure(lab) {
    const contestants = lab.systems.map((system) => ({
      system,
      run: () => throughputOf(lab, system, { ...wholePart, transactional: 'each' }),
    }))
    const figures = await alternate(lab, question, floodUnits, contestants)
    const reached = ratio(medianOf(figures, 'eventspine', 'handled'), bestPeer(figures, 'handled'))
    return { figures, verdicts: [atLeast(question, '>= 2x the best peer', reached, 2)] }
  },
}
