// DBOS Transact as its documentation writes it (docs.dbos.dev/typescript/programming-guide): workflows called directly,
// steps by `runStep`, a saga by catching and undoing in steps.
import { DBOS } from '@dbos-inc/dbos-sdk'
import { expectAnswer, Undone, type WorkflowSystem } from './system.js'

/** Its default is 10, fewer than there are workflows in flight. */
const connections = 32

class Refused extends Error {}

export const dbos: WorkflowSystem = {
  async open({ databaseUrl }) {
    const undone = new Undone()
    const step = <Result>(name: string, work: () => Result) => DBOS.runStep(async () => work(), { name })
    const steps = DBOS.registerWorkflow(
      async (n: number) => {
        const one = await step('one', () => n + 1)
        const two = await step('two', () => one + 2)
        return await step('three', () => two + 3)
      },
      { name: 'steps' },
    )
    const saga = DBOS.registerWorkflow(
      async (n: number) => {
        const undo: (() => Promise<void>)[] = []
        try {
          undo.unshift(() => step('undo one', () => undone.undo()))
          const one = await step('one', () => n + 1)
          undo.unshift(() => step('undo two', () => undone.undo()))
          const two = await step('two', () => one + 2)
          return await step('three', () => {
            throw new Refused(`${two} is refused`)
          })
        } catch {
          for (const each of undo) await each()
          return 'compensated'
        }
      },
      { name: 'saga' },
    )
    DBOS.setConfig({
      ...{ name: 'bench', applicationVersion: '1', systemDatabaseUrl: databaseUrl },
      ...{ systemDatabasePoolSize: connections, logLevel: 'error', tracingEnabled: false },
    })
    await DBOS.launch()
    let ended = 0
    return {
      async run(kind, n) {
        if (kind === 'steps') {
          return expectAnswer(n, await DBOS.withNextWorkflowID(`steps-${n}`, () => steps(n)))
        }
        const end = await DBOS.withNextWorkflowID(`saga-${n}`, () => saga(n))
        if (end !== 'compensated') throw new Error(`Saga ${n} was not compensated`)
        ended++
      },
      async stop() {
        undone.expect(ended)
        await DBOS.shutdown()
      },
    }
  },
}
