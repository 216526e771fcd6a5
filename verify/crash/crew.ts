// The workers of a run: as many as asked for, and another in the place of each that ends.
import { Program, until } from './engine.js'

const readyMsMax = 60_000

export class Member {
  readonly program: Program
  /** When it was stopped or is to end: it is no target any more. */
  struck = false

  constructor(program: Program) {
    this.program = program
  }

  get ready(): boolean {
    return !this.program.ended && this.program.output.includes('ready\n')
  }
}

export class Crew {
  readonly #program: URL
  readonly #environmentOf: (place: number) => NodeJS.ProcessEnv
  readonly #size: number
  readonly #places: Promise<void>[] = []
  readonly #members: Member[] = []
  #stopping = false
  /** Ends that nobody caused, with what they said. */
  readonly unexpected: string[] = []
  /** Processes that were started. */
  started = 0

  constructor(program: URL, size: number, environmentOf: (place: number) => NodeJS.ProcessEnv) {
    this.#program = program
    this.#size = size
    this.#environmentOf = environmentOf
  }

  get members(): readonly Member[] {
    return this.#members
  }

  /** Resolves when all deliver. */
  async start(): Promise<void> {
    for (let place = 0; place < this.#size; place++) this.#places.push(this.#fill(place))
    await this.ready()
  }

  /** Every place is taken by a worker that delivers. */
  async ready(): Promise<void> {
    await until('all workers are ready', readyMsMax, () => this.#members.every(({ ready }) => ready))
  }

  async #fill(place: number): Promise<void> {
    while (!this.#stopping) {
      const member = new Member(new Program(this.#program, this.#environmentOf(place)))
      this.#members[place] = member
      this.started++
      await member.program.end()
      const failed = (member.program.code ?? 0) !== 0
      if (failed || (!member.struck && !this.#stopping))
        this.unexpected.push(`worker ended by itself: ${member.program.output.slice(-2_000)}`)
    }
  }

  /** SIGTERM to all; what does not end by itself is killed. Answers how many did not end well. Safe to call twice. */
  async stop(graceMs: number): Promise<number> {
    this.#stopping = true
    for (const { program } of this.#members) {
      program.signal('SIGCONT')
      program.signal('SIGTERM')
    }
    const members = this.#members.map(({ program }) => program)
    const ended = () => members.every((program) => program.ended)
    await until('all workers end', graceMs, ended).catch(() => {})
    const bad = members.filter(({ code }) => code !== 0).length
    await Promise.all(members.map((program) => program.kill()))
    await Promise.all(this.#places)
    return bad
  }
}
