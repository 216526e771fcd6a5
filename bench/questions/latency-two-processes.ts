// The same as latency-one-process, with one process that publishes and another that handles. Target: p50 <= 5 ms,
// p99 <= 20 ms at 1,000 and 5,000 events/s.
import { alternate, atMost, medianOf, type Question } from '../core/answer.js'
import { latencyOf } from '../core/measure.js'
import { wholePart } from '../core/run.js'
import { ratesOf } from './latency-rates.js'

const question = 'latency-two-processes'
const publisher = { ...wholePart, works: false }
const worker = { ...wholePart, publishes: false }

export const latencyTwoProcesses: Question = {
  name: question,
  title: 'Latency at 1,000 and 5,000 events/s, publisher and worker in two processes',
  async measure(lab) {
    const contestants = ratesOf(lab, lab.systemsOrOwn).map(({ system, rate, name }) => ({
      system: name,
      run: () => latencyOf(lab, system, rate, [publisher, worker]),
    }))
    const figures = await alternate(lab, question, {}, contestants)
    const verdicts = [1_000, 5_000].flatMap((rate) => [
      atMost(question, `p50 <= 5 ms at ${rate}/s`, medianOf(figures, `eventspine ${rate}/s`, 'p50'), 5),
      atMost(question, `p99 <= 20 ms at ${rate}/s`, medianOf(figures, `eventspine ${rate}/s`, 'p99'), 20),
    ])
    return { figures, verdicts }
  },
}
