// Group commit for histories: what the instances of a process have to record travels in one statement, and what comes
// up meanwhile in the next; the same for what they have to read.
import { type Clock, EventspineError } from '../kernel/index.js'
import { DatabaseTime } from './database-time.js'
import type { AwaitedBy, InstanceName, Loaded, Recording, WorkflowPort } from './port.js'

interface Waiting<Asked, Answer> {
  readonly asked: Asked
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

const groupMax = 500

/** Calls of one kind, as many at once as came up while the last ones were under way. */
class Group<Asked, Answer> {
  readonly #work: (asked: readonly Asked[]) => Promise<readonly Answer[]>
  readonly #lanes: number
  #waiting: Waiting<Asked, Answer>[] = []
  #busy = 0

  /** `lanes`: how many groups may be under way. */
  constructor(lanes: number, work: (asked: readonly Asked[]) => Promise<readonly Answer[]>) {
    this.#lanes = lanes
    this.#work = work
  }

  ask(asked: Asked): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ asked, resolve, reject })
      if (this.#busy < this.#lanes) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#busy++
    // Whoever asks in the same turn comes along.
    await undefined
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, groupMax)
      try {
        const answers = await this.#work(group.map(({ asked }) => asked))
        group.forEach(({ resolve }, index) => resolve(answers[index] as Answer))
      } catch (error) {
        if (isAway(error) || group.length === 1) for (const { reject } of group) reject(error)
        // What the database will not have of one must not fail its neighbours.
        else for (const each of group) await this.#alone(each)
      }
    }
    this.#busy--
  }

  async #alone({ asked, resolve, reject }: Waiting<Asked, Answer>): Promise<void> {
    try {
      const [answer] = await this.#work([asked])
      resolve(answer as Answer)
    } catch (error) {
      reject(error)
    }
  }
}

const isAway = (error: unknown) => error instanceof EventspineError && error.code === 'UNAVAILABLE'

export type LedgerPort = Pick<WorkflowPort, 'loadWorkflows' | 'recordWorkflows' | 'awaiting'>

export class Ledger {
  readonly #loads: Group<InstanceName, { readonly loaded: Loaded | undefined; readonly time: DatabaseTime }>
  readonly #records: Group<Recording, boolean>
  readonly #awaiting: Group<AwaitedBy, readonly string[]>

  constructor(port: LedgerPort, clock: Clock) {
    this.#loads = new Group(1, async (names) => {
      const sentAt = clock.monotonic()
      const { nowMs, found } = await port.loadWorkflows(names)
      const time = new DatabaseTime(clock, nowMs, sentAt)
      return found.map((loaded) => ({ loaded, time }))
    })
    this.#records = new Group(2, async (recordings) => {
      const recorded = await port.recordWorkflows(recordings)
      return recordings.map((_, index) => recorded.has(index))
    })
    this.#awaiting = new Group(1, (asked) => port.awaiting(asked))
  }

  load(name: InstanceName) {
    return this.#loads.ask(name)
  }

  /** Ids of the instances that wait for such an event. */
  awaiting(asked: AwaitedBy): Promise<readonly string[]> {
    return this.#awaiting.ask(asked)
  }

  record(recording: Recording): Promise<boolean> {
    return this.#records.ask(recording)
  }
}
