// How many workflows of three steps are run from start to end, with 32 and 128 in flight, and how long does one take? And how
// many sagas that fail at the third step and undo two? Target: at least 2,500/s and 5 times the better of DBOS and Restate,
// p50 <= 15 ms at 32 in flight, 1,000 sagas/s.
import {
  alternate,
  atLeast,
  atMost,
  bestPeer,
  medianOf,
  type Question,
  ratio,
  type Sample,
} from '../core/answer.js'
import type { Lab } from '../core/lab.js'
import type { WorkflowKind, WorkflowSystemName } from '../workflows/system.js'

const question = 'workflows'
const lanes = [32, 128]
const warmSeconds = 2
const units = { workflows: 'workflows/s', sagas: 'sagas/s' }

export const workflows: Question = {
  name: question,
  title: 'Workflows of three steps at 32 and 128 in flight, and sagas that undo two',
  async measure(lab) {
    const kinds: readonly (readonly [WorkflowKind, number])[] = [
      ...lanes.map((inFlight) => ['steps', inFlight] as const),
      ['saga', 128],
    ]
    const contestants = kinds.flatMap(([kind, inFlight]) =>
      lab.workflowSystems.map((system) => ({
        system: `${system} ${kind === 'saga' ? 'saga ' : ''}x${inFlight}`,
        run: () => ranOf(lab, system, kind, inFlight),
      })),
    )
    const figures = await alternate(lab, question, units, contestants)
    const own = (inFlight: number) => medianOf(figures, `eventspine x${inFlight}`, 'workflows')
    const peersAt = (inFlight: number) =>
      bestPeer(
        figures.filter(({ system }) => system.endsWith(` x${inFlight}`)),
        'workflows',
      )
    return {
      figures,
      verdicts: [
        ...lanes.flatMap((inFlight) => [
          atLeast(question, `>= 2,500 workflows/s at ${inFlight}`, own(inFlight), 2_500),
          atLeast(
            question,
            `>= 5x the better of DBOS and Restate at ${inFlight}`,
            ratio(own(inFlight), peersAt(inFlight)),
            5,
          ),
        ]),
        atMost(question, 'p50 <= 15 ms at 32', medianOf(figures, 'eventspine x32', 'p50'), 15),
        atLeast(question, '>= 1,000 sagas/s', medianOf(figures, 'eventspine saga x128', 'sagas'), 1_000),
      ],
    }
  },
}

async function ranOf(
  lab: Lab,
  system: WorkflowSystemName,
  kind: WorkflowKind,
  inFlight: number,
): Promise<Sample> {
  const { seconds, eventsMax: max } = lab.options.scale
  return await lab.workflows(system, async (subject) => {
    await subject.call('workflows', { kind, inFlight, seconds: Math.min(warmSeconds, seconds), max })
    const {
      count,
      seconds: took,
      latency,
    } = await subject.call('workflows', { kind, inFlight, seconds, max })
    const rate = count / took
    return {
      ...(kind === 'saga' ? { sagas: rate } : { workflows: rate }),
      p50: latency.p50,
      p99: latency.p99,
    }
  })
}
