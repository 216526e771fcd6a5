// Group commit for histories: what the instances of a process have to record travels in one statement, and what comes
// up meanwhile in the next; the same for what they have to read.
import type { Clock } from '../kernel/index.js'
import { DatabaseTime } from './database-time.js'
import type { InstanceName, Loaded, Recording, WorkflowPort } from './port.js'

interface Waiting<Asked, Answer> {
  readonly asked: Asked
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

const groupMax = 500

/** Calls of one kind, as many at once as came up while the last ones were under way. */
class Group<Asked, Answer> {
  readonly #work: (asked: readonly Asked[]) => Promise<readonly Answer[]>
  #waiting: Waiting<Asked, Answer>[] = []
  #busy = false

  constructor(work: (asked: readonly Asked[]) => Promise<readonly Answer[]>) {
    this.#work = work
  }

  ask(asked: Asked): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ asked, resolve, reject })
      if (!this.#busy) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#busy = true
    // Whoever asks in the same turn comes along.
    await undefined
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, groupMax)
      try {
        const answers = await this.#work(group.map(({ asked }) => asked))
        group.forEach(({ resolve }, index) => resolve(answers[index] as Answer))
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    this.#busy = false
  }
}

export class Ledger {
  readonly #loads: Group<InstanceName, { readonly loaded: Loaded | undefined; readonly time: DatabaseTime }>
  readonly #records: Group<Recording, boolean>

  constructor(port: Pick<WorkflowPort, 'loadWorkflows' | 'recordWorkflows'>, clock: Clock) {
    this.#loads = new Group(async (names) => {
      const sentAt = clock.monotonic()
      const { nowMs, found } = await port.loadWorkflows(names)
      const time = new DatabaseTime(clock, nowMs, sentAt)
      return found.map((loaded) => ({ loaded, time }))
    })
    this.#records = new Group(async (recordings) => {
      const recorded = await port.recordWorkflows(recordings)
      return recordings.map((_, index) => recorded.has(index))
    })
  }

  load(name: InstanceName) {
    return this.#loads.ask(name)
  }

  record(recording: Recording): Promise<boolean> {
    return this.#records.ask(recording)
  }
}
