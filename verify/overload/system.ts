// The parent's side of the system under load: starts it, asks it, ends it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Figures, LibraryLoad, Question, Started } from './protocol.js'

const startMsMax = 60_000
const answerMsMax = 120_000
const stopMsMax = 20_000
const outputCharactersMax = 4_000

type Message = Started | Figures | LibraryLoad

export class System {
  readonly #databaseUrl: string
  #child: ChildProcess | undefined
  #output = ''

  constructor(databaseUrl: string) {
    this.#databaseUrl = databaseUrl
  }

  async start(): Promise<Started> {
    const program = fileURLToPath(new URL('process.ts', import.meta.url))
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--conditions=source', program, this.#databaseUrl],
      { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
    )
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text) => {
        this.#output = (this.#output + text).slice(-outputCharactersMax)
      })
    return (await this.#hear('started', startMsMax)) as Started
  }

  async figures(): Promise<Figures> {
    return (await this.#ask({ kind: 'figures' }, 'figures', answerMsMax)) as Figures
  }

  async load(
    question: Extract<Question, { kind: 'flood' | 'tally' }>,
    seconds: number,
  ): Promise<LibraryLoad> {
    return (await this.#ask(question, 'loaded', seconds * 1_000 + answerMsMax)) as LibraryLoad
  }

  /** What needs no answer. */
  tell(question: Extract<Question, { kind: 'publish' | 'target' }>): void {
    this.#child?.send(question)
  }

  /** Safe to call twice, or before start. */
  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    const cut = setTimeout(() => child.kill('SIGKILL'), stopMsMax)
    if (child.connected) child.send({ kind: 'stop' } satisfies Question)
    else child.kill('SIGKILL')
    await ended
    clearTimeout(cut)
  }

  #ask(question: Question, kind: Message['kind'], msMax: number): Promise<Message> {
    const answer = this.#hear(kind, msMax)
    this.#child?.send(question)
    return answer
  }

  #hear(kind: Message['kind'], msMax: number): Promise<Message> {
    const child = this.#child
    return new Promise((resolve, reject) => {
      const done = (settle: () => void) => {
        clearTimeout(timer)
        child?.off('message', listen).off('exit', fail)
        settle()
      }
      const fail = () =>
        done(() => reject(new Error(`The system under load does not answer.\n${this.#output}`)))
      const timer = setTimeout(fail, msMax)
      const listen = (message: Message) => {
        if (message.kind === kind) done(() => resolve(message))
      }
      child?.on('message', listen).once('exit', fail)
    })
  }
}
