// One schedule of workflows from its seed to its verdict, over the same world, processes and faults as that of subscriptions.
import { Crew } from '../crew.js'
import { comparePositions, endOfTick } from '../engine.js'
import { planOf } from '../plan.js'
import type { Verdict } from '../schedule.js'
import { World, type WorldOptions } from '../world.js'
import { Audience } from './audience.js'
import { appOf } from './cast.js'
import { Scenes } from './scenes.js'
import { judgeWorkflows } from './verdict.js'

const healMsMax = 600_000
const lookEveryMs = 100
const redriveEveryLooks = 20

export async function simulateWorkflows(seed: number, options: WorldOptions): Promise<Verdict> {
  const world = new World({ ...planOf(seed), subscriptions: [] }, options)
  const scenes = new Scenes(world)
  world.store = scenes.watching(world.store)
  const crew = new Crew(world, appOf(world, scenes))
  const audience = new Audience(world, scenes, () => crew.processes)
  const { plan, clock, ledger, trace, tally } = world
  crew.start()
  audience.start()
  crew.trouble()
  await clock.advance(plan.faultsMs)
  crew.heal()
  if (await drained(world, audience, crew)) {
    judgeWorkflows(world, scenes, audience)
    await crew.stopAll()
  } else ledger.violated('I48', `not ended after ${healMsMax} ms without faults: ${leftover(world)}`)
  return {
    ...{ seed, violations: ledger.violations, hash: trace.hash, trace: trace.lines },
    met: Object.fromEntries(tally.counts),
    virtualMs: clock.monotonic(),
  }
}

async function drained(world: World, audience: Audience, crew: Crew): Promise<boolean> {
  const { clock, tables } = world
  const until = clock.monotonic() + healMsMax
  for (let looks = 1; clock.monotonic() < until; looks++) {
    await clock.advance(lookEveryMs)
    // Deaths of processes quarantine what they had in hand: a person sends it again.
    if (looks % redriveEveryLooks === 0) await redrive(crew)
    const end = { tick: tables.lastTick().number, seq: endOfTick }
    const atEnd = [...tables.consumers.values()].every(
      (consumer) => comparePositions(consumer, end) >= 0 && consumer.deliveries.size === 0,
    )
    const ended = [...tables.workflows.values()].every(({ endedAtMs }) => endedAtMs !== null)
    if (atEnd && ended && audience.busy === 0 && world.allTicked) return true
  }
  return false
}

async function redrive(crew: Crew): Promise<void> {
  const ready = crew.processes.find((process) => process.alive && process.spine.ready())
  const letters = await ready?.spine.operator().deadLetters({ limit: 1, state: 'dead' })
  if (letters === undefined || letters.items.length === 0) return
  await ready?.spine.operator().redrive({ filter: {}, actor: 'person', canary: 0, roundsMax: 1_000 })
}

function leftover({ tables }: World): string {
  return [...tables.workflows.values()]
    .filter(({ endedAtMs }) => endedAtMs === null)
    .map(({ id, state, history }) => `${id} ${state} after ${history.at(-1)?.kind} ${history.at(-1)?.name}`)
    .join('; ')
}
