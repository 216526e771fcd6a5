// A process under measurement. It holds one system in one part, does what it is asked, and ends with its parent.
import { systemOf } from '../systems/index.js'
import type { Session } from '../systems/system.js'
import { workflowSystemOf } from '../workflows/index.js'
import { rounds } from '../workflows/rounds.js'
import type { WorkflowSession } from '../workflows/system.js'
import { Ledger } from './ledger.js'
import { Load } from './load.js'
import { monotonicMs, payloadBytes, payloadOf } from './payload.js'
import type { Answer, Ask, Methods, Task } from './protocol.js'
import { timeQueries } from './queries.js'

interface Opened {
  readonly task: Task
  readonly session: Session
  readonly ledger: Ledger
  readonly load: Load
}

let opened: Opened | undefined
let workflows: WorkflowSession | undefined

const methods: Methods = {
  async prepare({ system, place, part }) {
    await (await systemOf(system)).prepare(place, part)
  },
  async open(task) {
    const bytes = JSON.stringify(payloadOf(123_456, monotonicMs())).length
    if (bytes !== payloadBytes) throw new Error(`The payload has ${bytes} bytes, not ${payloadBytes}`)
    const ledger = new Ledger(task.part.subscriptions)
    const session = await (await systemOf(task.system)).open(task.place, task.part, ledger)
    opened = { task, session, ledger, load: new Load(session, ledger, task.part.subscriptions) }
  },
  flood: async (flood) => current().load.flood(flood),
  pace: async (pace) => current().load.pace(pace),
  progress: async () => current().ledger.progress,
  latencies: async () => current().ledger.latencies(),
  forget: async () => current().ledger.forget(),
  queries: async ({ repeats }) => timeQueries(current().task, repeats),
  async usage() {
    const { user, system } = process.cpuUsage()
    return { atMs: monotonicMs(), cpuMs: (user + system) / 1000, residentBytes: process.memoryUsage.rss() }
  },
  async openWorkflows({ system, place }) {
    workflows = await (await workflowSystemOf(system)).open(place)
  },
  workflows: async (asked) => rounds(openWorkflows(), asked),
  async sleepWorkflow({ id }) {
    const { sleep } = openWorkflows()
    if (sleep === undefined) throw new Error('This system has no workflow that sleeps')
    await sleep(id)
  },
  async close() {
    await opened?.session.stop()
    await workflows?.stop()
    opened = workflows = undefined
  },
}

function current(): Opened {
  if (opened === undefined) throw new Error('Nothing is open in this process')
  return opened
}

function openWorkflows(): WorkflowSession {
  if (workflows === undefined) throw new Error('No workflows are open in this process')
  return workflows
}

async function answer({ id, method, parameters }: Ask): Promise<Answer> {
  try {
    const call = methods[method] as (parameters: unknown) => Promise<unknown>
    return { id, result: await call(parameters) }
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

// Ctrl-C reaches every process of the terminal. The parent decides when this one ends.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('disconnect', () => process.exit(0))
process.on('message', async (ask: Ask) => {
  const answered = await answer(ask)
  if (process.connected) process.send?.(answered)
})
