// Everything that a run of crashes or faults needs beside what harms it: database, tables, sink, publishers, workers.
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Eventspine, jsonLogger } from 'eventspine'
import { crashedApp, tables } from './app.js'
import { bundled, type Planted } from './bundle.js'
import { Crew } from './crew.js'
import { OwnServer, Program } from './engine.js'
import { gathered } from './evidence.js'
import { type Ledger, ledgerOf } from './ledger.js'
import { EffectSink } from './sink.js'

export interface StageOptions {
  readonly workers: number
  readonly publishers: number
  readonly lanesOfPublisher: number
  readonly pauseMs: number
  /** Added to the environment of workers and publishers. */
  readonly environment?: NodeJS.ProcessEnv
  /** A bug that workers and publishers have. */
  readonly mutant?: Planted
  /** Where the server keeps its data. Default: a folder of its own, removed at the end. */
  readonly data?: string
  /** Where workers reach the database and, behind them, publishers: as many addresses for its own. */
  readonly through?: (url: string) => Promise<readonly string[]>
}

const schema = 'crash'
const publisherEndMsMax = 30_000
const workerEndMsMax = 30_000

export class Stage {
  readonly server: OwnServer
  readonly sink: EffectSink
  readonly journals: string[] = []
  readonly schema = schema
  readonly #options: StageOptions
  readonly #publishers: Program[] = []
  #observer: Eventspine | undefined
  #crew: Crew | undefined

  constructor(options: StageOptions) {
    this.#options = options
    this.server = new OwnServer(options.data)
    mkdirSync(join(this.server.directory, 'ledger'))
    this.sink = new EffectSink(join(this.server.directory, 'ledger', 'sink.log'))
  }

  get crew(): Crew {
    if (this.#crew === undefined) throw new Error('The stage is not set')
    return this.#crew
  }

  get observer(): Eventspine {
    if (this.#observer === undefined) throw new Error('The stage is not set')
    return this.#observer
  }

  get publishers(): readonly Program[] {
    return this.#publishers
  }

  /** Workers deliver before anything is published: what came before them would not be theirs. */
  async set(): Promise<void> {
    const port = await this.sink.start()
    await this.server.start()
    this.#observer = new Eventspine(crashedApp(schema), {
      ...{ databaseUrl: this.server.url, schema, work: false },
      logger: jsonLogger('silent', Date.now, () => {}),
    })
    await this.#observer.start()
    await this.server.sql(tables(schema))
    const { workers, publishers, environment = {}, through } = this.#options
    const programs = await bundled(join(this.server.directory, 'programs'), this.#options.mutant)
    const urls = (await through?.(this.server.url)) ?? []
    const environmentOf = (place: number) => ({
      ...{
        DATABASE_URL: urls[place] ?? this.server.url,
        CRASH_SCHEMA: schema,
        CRASH_SINK_PORT: String(port),
      },
      ...environment,
    })
    this.#crew = new Crew(programs.worker, workers, environmentOf)
    await this.#crew.start()
    for (let number = 0; number < publishers; number++)
      this.#publish(programs.publisher, `p${number}`, environmentOf(workers + number))
    await Promise.all(this.#publishers.map((publisher) => publisher.says('ready')))
  }

  #publish(program: URL, name: string, shared: NodeJS.ProcessEnv): void {
    const journal = join(this.server.directory, 'ledger', `${name}.journal`)
    appendFileSync(journal, '')
    this.journals.push(journal)
    const { lanesOfPublisher, pauseMs } = this.#options
    this.#publishers.push(
      new Program(program, {
        ...shared,
        ...{ CRASH_NAME: name, CRASH_JOURNAL: journal },
        ...{ CRASH_LANES: String(lanesOfPublisher), CRASH_PAUSE_MS: String(pauseMs) },
      }),
    )
  }

  /** What is on its way is answered first. Answers what is wrong with how they ended. */
  async endPublishers(): Promise<string[]> {
    for (const publisher of this.#publishers) publisher.signal('SIGTERM')
    const late = setTimeout(() => {
      for (const publisher of this.#publishers) publisher.signal('SIGKILL')
    }, publisherEndMsMax)
    await Promise.all(this.#publishers.map((publisher) => publisher.end()))
    clearTimeout(late)
    return this.#publishers
      .filter(({ code }) => code !== 0)
      .map(({ code, output }) => `publisher ended with ${code ?? 'a signal'}: ${output.slice(-2_000)}`)
  }

  /** Answers what is wrong with how they ended. */
  async endWorkers(): Promise<string[]> {
    const bad = await this.crew.stop(workerEndMsMax)
    return bad > 0 ? [`${bad} workers did not end well at SIGTERM`] : []
  }

  async audit(): Promise<Ledger> {
    const { server, observer, journals } = this
    return ledgerOf(await gathered({ server, schema, observer, journals, sinkFile: this.sink.file }))
  }

  /** Takes everything down, whatever state it is in. Safe to call twice. */
  async clear(): Promise<void> {
    await Promise.all(this.#publishers.map((publisher) => publisher.kill()))
    await this.#crew?.stop(0)
    await this.#observer?.stop()
    await this.sink.stop()
    await this.server.remove()
  }
}
