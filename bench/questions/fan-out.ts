// What does it cost to have 4 or 16 subscriptions instead of one? A queue adds a job for each. Target: at least
// 120,000 deliveries/s at 4, and a publish rate at 4 and 16 of at least 70 % of that at 1.
import { alternate, atLeast, medianOf, type Question, ratio } from '../core/answer.js'
import { floodUnits, throughputOf } from '../core/measure.js'
import { wholePart } from '../core/run.js'
import type { SystemName } from '../systems/system.js'

const question = 'fan-out'
const counts = [1, 4, 16]
const peersAt = 4

export const fanOut: Question = {
  name: question,
  title: 'Fan-out to 4 and 16 subscriptions',
  async measure(lab) {
    const contestant = (system: SystemName, subscriptions: number) => ({
      system: `${system} x${subscriptions}`,
      run: () => throughputOf(lab, system, { ...wholePart, subscriptions }),
    })
    const owned = lab.systems.includes('eventspine') ? counts : []
    const peers = lab.systemsOrOwn.filter((system) => system !== 'eventspine')
    const figures = await alternate(lab, question, floodUnits, [
      ...owned.map((count) => contestant('eventspine', count)),
      ...peers.map((system) => contestant(system, peersAt)),
    ])
    const published = (count: number) => medianOf(figures, `eventspine x${count}`, 'published')
    return {
      figures,
      verdicts: [
        atLeast(
          question,
          '>= 120,000 deliveries/s at 4',
          medianOf(figures, 'eventspine x4', 'deliveries'),
          120_000,
        ),
        atLeast(question, 'publish rate at 4 >= 70 % of that at 1', ratio(published(4), published(1)), 0.7),
        atLeast(question, 'publish rate at 16 >= 70 % of that at 1', ratio(published(16), published(1)), 0.7),
      ],
    }
  },
}
