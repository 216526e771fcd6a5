// How many events per second are published and handled at the same time, by one subscription in one process, with run
// history on? Target: at least 40,000 events/s, and at least 4 times the best peer.
import { alternate, atLeast, bestPeer, medianOf, type Question, ratio } from '../core/answer.js'
import { floodUnits, throughputOf } from '../core/measure.js'
import { wholePart } from '../core/run.js'

const question = 'throughput'

export const throughput: Question = {
  name: question,
  title: 'Publish and handle at the same time, one subscription, run history on',
  async measure(lab) {
    const contestants = lab.systems.map((system) => ({
      system,
      run: () => throughputOf(lab, system, wholePart),
    }))
    const figures = await alternate(lab, question, floodUnits, contestants)
    const own = medianOf(figures, 'eventspine', 'handled')
    return {
      figures,
      verdicts: [
        atLeast(question, '>= 40,000 events/s', own, 40_000),
        atLeast(question, '>= 4x the best peer', ratio(own, bestPeer(figures, 'handled')), 4),
      ],
    }
  },
}
