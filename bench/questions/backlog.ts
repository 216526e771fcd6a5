// How fast does a worker catch up on a million events that were published while nobody handled them? Counted from the
// first one handled; how long that takes is told apart. Target: at least 100,000 events/s. Peers get a tenth.
import { alternate, atLeast, medianOf, type Question, type Sample } from '../core/answer.js'
import type { Lab } from '../core/lab.js'
import { monotonicMs } from '../core/payload.js'
import { wholePart } from '../core/run.js'
import type { SystemName } from '../systems/system.js'

const question = 'backlog'
const fillSecondsMax = 3_600

export const backlog: Question = {
  name: question,
  title: 'Catching up on a backlog',
  async measure(lab) {
    const { backlogEvents, peerBacklogEvents } = lab.options.scale
    const contestants = lab.systemsOrOwn.map((system) => ({
      system,
      run: () => catchUp(lab, system, system === 'eventspine' ? backlogEvents : peerBacklogEvents),
    }))
    const figures = await alternate(lab, question, { handled: 'events/s', 'to the first': 'ms' }, contestants)
    return {
      figures,
      verdicts: [
        atLeast(question, '>= 100,000 events/s', medianOf(figures, 'eventspine', 'handled'), 100_000),
      ],
      settings: { backlogEvents, peerBacklogEvents },
    }
  },
}

async function catchUp(lab: Lab, system: SystemName, events: number): Promise<Sample> {
  return lab.run(system, wholePart, async (run) => {
    const publisher = await run.open({ ...wholePart, works: false })
    const { sent } = await run.flood(publisher, events, fillSecondsMax, false)
    if (sent !== events) throw new Error(`Only ${sent} of ${events} events were published in time`)
    await run.close(publisher)
    const beganAtMs = monotonicMs()
    const worker = await run.open({ ...wholePart, publishes: false })
    const { firstAtMs, lastAtMs } = await run.handled([worker], sent)
    await run.close(worker)
    await run.proveHistory(sent, sent)
    return { handled: sent / ((lastAtMs - firstAtMs) / 1000), 'to the first': firstAtMs - beganAtMs }
  })
}
