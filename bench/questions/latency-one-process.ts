// How long from the intended moment of sending to the handler, open loop at 1,000 and 5,000 events/s, in one process
// that publishes and handles? Target: p50 <= 2 ms, p99 <= 10 ms at both. Beside it: the same rows inserted and read
// back by bare statements, which is what this machine takes at least.
import { alternate, atMost, medianOf, type Question } from '../core/answer.js'
import { latencyOf } from '../core/measure.js'
import { wholePart } from '../core/run.js'
import { ratesOf } from './latency-rates.js'

const question = 'latency-one-process'

export const latencyOneProcess: Question = {
  name: question,
  title: 'Latency at 1,000 and 5,000 events/s, one process',
  async measure(lab) {
    const contestants = ratesOf(lab, [...lab.systems, 'raw']).map(({ system, rate, name }) => ({
      system: name,
      run: () => latencyOf(lab, system, rate, [wholePart]),
    }))
    const figures = await alternate(lab, question, {}, contestants)
    const verdicts = [1_000, 5_000].flatMap((rate) => [
      atMost(question, `p50 <= 2 ms at ${rate}/s`, medianOf(figures, `eventspine ${rate}/s`, 'p50'), 2),
      atMost(question, `p99 <= 10 ms at ${rate}/s`, medianOf(figures, `eventspine ${rate}/s`, 'p99'), 10),
    ])
    return { figures, verdicts }
  },
}
