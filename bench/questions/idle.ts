// What does a worker cost that has nothing to do, and how long does a developer wait for `eventspine dev`? Target:
// less than 1 % of a core, less than 150 MB, and dev ready in less than 2 s after the first start.
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { alternate, atMost, medianOf, type Question, type Sample } from '../core/answer.js'
import type { Lab } from '../core/lab.js'
import { monotonicMs } from '../core/payload.js'
import { wholePart } from '../core/run.js'
import { tied } from '../core/tied.js'
import type { SystemName } from '../systems/system.js'

const question = 'idle'
const units = { processor: '% of a core', memory: 'MB', 'first start': 's', 'later start': 's' }
const settleMs = 2_000
const readyMsMax = 60_000
const checkout = fileURLToPath(new URL('../..', import.meta.url))

export const idle: Question = {
  name: question,
  title: 'Idle: processor, memory, and how soon `eventspine dev` is ready',
  async measure(lab) {
    const contestants = lab.systemsOrOwn.map((system) => ({ system, run: () => idleOf(lab, system) }))
    const dev = { system: 'eventspine dev', run: () => devReady(lab) }
    const figures = await alternate(lab, question, units, [...contestants, dev])
    return {
      figures,
      verdicts: [
        atMost(question, '< 1 % of a core', medianOf(figures, 'eventspine', 'processor'), 1),
        atMost(question, '< 150 MB', medianOf(figures, 'eventspine', 'memory'), 150),
        atMost(
          question,
          'dev ready < 2 s after the first start',
          medianOf(figures, 'eventspine dev', 'later start'),
          2,
        ),
      ],
      settings: { idleSeconds: lab.options.scale.idleSeconds },
    }
  },
}

/** The worker's process; what PostgreSQL does for it is not in the figure. */
async function idleOf(lab: Lab, system: SystemName): Promise<Sample> {
  const part = { ...wholePart, publishes: false }
  return lab.run(system, part, async (run) => {
    const subject = await run.open(part)
    await delay(settleMs)
    const before = await subject.call('usage')
    await delay(lab.options.scale.idleSeconds * 1000)
    const after = await subject.call('usage')
    return {
      processor: (100 * (after.cpuMs - before.cpuMs)) / (after.atMs - before.atMs),
      memory: after.residentBytes / 1e6,
    }
  })
}

async function devReady(lab: Lab): Promise<Sample> {
  const directory = join(lab.directory, `dev-${Math.round(monotonicMs())}`)
  mkdirSync(directory, { recursive: true })
  const first = await startOnce(directory)
  const later = await startOnce(directory)
  return { 'first start': first / 1000, 'later start': later / 1000 }
}

async function startOnce(directory: string): Promise<number> {
  const parameters = ['dev', '--json', '--no-watch', '--port', '0', '--app', 'bench/questions/idle-app.ts']
  const beganAtMs = monotonicMs()
  // Compiled, as who installs the package has it; the app is TypeScript, and compiled as it is loaded.
  const child = tied(
    spawn(process.execPath, [join(checkout, 'packages/cli/dist/main.js'), ...parameters], {
      cwd: checkout,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, EVENTSPINE_DIRECTORY: directory, DATABASE_URL: '' },
    }),
  )
  const ended = new Promise((done) => child.once('exit', done))
  try {
    return await new Promise<number>((resolve, reject) => {
      let said = ''
      const patience = setTimeout(
        () => reject(new Error(`eventspine dev was not ready: ${said}`)),
        readyMsMax,
      )
      child.stderr.on('data', (data: Buffer) => {
        said += data.toString()
      })
      child.stdout.on('data', (data: Buffer) => {
        said += data.toString()
        if (!said.includes('"message":"ready"')) return
        clearTimeout(patience)
        resolve(monotonicMs() - beganAtMs)
      })
      child.once('exit', () => reject(new Error(`eventspine dev ended: ${said}`)))
    })
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}
