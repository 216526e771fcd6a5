// The parent's side of the server under fire: starts it, asks it, ends it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Figures, Keys, Question, Started } from './protocol.js'

const startMsMax = 60_000
const answerMsMax = 30_000
const stopMsMax = 15_000
const outputCharactersMax = 4_000

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url))

export interface TargetOptions {
  readonly databaseUrl: string
  /** Text in every payload that must not come up in its log. */
  readonly canary: string
  /** A planted bug, by its name. */
  readonly mutant?: string | undefined
}

export class Target {
  readonly #options: TargetOptions
  #child: ChildProcess | undefined
  #started: Started | undefined
  #output = ''

  constructor(options: TargetOptions) {
    this.#options = options
  }

  async start(): Promise<Started> {
    const { databaseUrl, canary, mutant } = this.#options
    const planting = mutant === undefined ? [] : ['--import', here('../mutants/plant.mjs')]
    const child = spawn(
      process.execPath,
      [
        ...['--expose-gc', ...planting, '--import', 'tsx', '--conditions=source'],
        ...[here('process.ts'), databaseUrl, canary],
      ],
      { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env: { ...process.env, FUZZ_MUTANT: mutant ?? '' } },
    )
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text) => {
        this.#output = (this.#output + text).slice(-outputCharactersMax)
      })
    this.#started = await this.#hear<Started>('started', startMsMax)
    return this.#started
  }

  get keys(): Keys {
    if (this.#started === undefined) throw new Error('The server under fire is not started')
    return this.#started.keys
  }

  get url(): string {
    return this.#started?.url ?? ''
  }

  /** What it wrote to its standard streams, the end of it. */
  get output(): string {
    return this.#output
  }

  get alive(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null
  }

  /** Throws when it is dead or does not answer. */
  async ask(question: Exclude<Question, 'stop'>): Promise<Figures> {
    if (!this.alive) throw new Error(`The server under fire is gone.\n${this.#output}`)
    const answer = this.#hear<Figures>('figures', answerMsMax)
    // Whether it could be sent shows in whether an answer comes.
    this.#child?.send(question, () => {})
    return answer
  }

  /** Safe to call twice, or before start. */
  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined || !this.alive) return
    const ended = once(child, 'exit')
    const cut = setTimeout(() => child.kill('SIGKILL'), stopMsMax)
    if (child.connected) child.send('stop')
    else child.kill('SIGKILL')
    await ended
    clearTimeout(cut)
  }

  #hear<Message extends Started | Figures>(kind: Message['kind'], msMax: number): Promise<Message> {
    const child = this.#child
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        clearTimeout(timer)
        child?.off('message', listen).off('exit', fail)
        settle()
      }
      const fail = () => done(() => reject(new Error(`The server under fire is gone.\n${this.#output}`)))
      const timer = setTimeout(fail, msMax)
      const listen = (message: Message) => {
        if (message.kind === kind) done(() => resolve(message))
      }
      child?.on('message', listen).once('exit', fail)
    })
  }
}
