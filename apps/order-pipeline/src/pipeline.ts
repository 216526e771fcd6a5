// Everything that the pipeline needs to run in one process: a database, the application's tables, the engine and
// the HTTP API. Started in this order and stopped in the other.
import { createWriteStream, mkdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { createConsole } from '@eventspine/console'
import { EmbeddedPostgres } from '@eventspine/embedded'
import { createServer } from '@eventspine/server'
import { Eventspine, jsonLogger, type Logger } from 'eventspine'
import { app, prepare } from './app.js'

export interface PipelineOptions {
  /** Where the embedded database, the log file and the development key are kept. */
  readonly directory: string
  /** A PostgreSQL server to use instead of the embedded one. */
  readonly databaseUrl: string | undefined
  readonly port: number
  /** Hears what has been started. */
  readonly done: (text: string) => void
  /** Hears what is being started. */
  readonly progress: (text: string) => void
}

export interface RunningPipeline {
  readonly spine: Eventspine
  readonly url: string
  readonly key: string
}

export class OrderPipeline {
  readonly #options: PipelineOptions
  readonly #stops: (() => Promise<void>)[] = []
  #starting: Promise<RunningPipeline> | undefined

  constructor(options: PipelineOptions) {
    this.#options = options
  }

  /** Safe to call twice. */
  start(): Promise<RunningPipeline> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  /** Waits for handlers and requests that are under way. Safe to call twice, before start and during it. */
  async stop(): Promise<void> {
    await this.#starting?.catch(() => {})
    const failures: unknown[] = []
    // What fails to stop must not keep the rest from stopping.
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) {
      await stop().catch((error: unknown) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }

  async #start(): Promise<RunningPipeline> {
    const { directory, databaseUrl = await this.#startDatabase(), port, done, progress } = this.#options
    const logger = this.#openLog(join(directory, 'order-pipeline.log'))
    progress('creating tables')
    const spine = new Eventspine(app, { databaseUrl, logger, prepare })
    this.#stops.push(() => spine.stop())
    await spine.start()
    done(`Eventspine delivers to ${spine.app.subscriptions.map(({ name }) => name).join(', ')}`)
    const keyFile = join(directory, 'development-key')
    const server = createServer(spine, { port, development: true, keyFile, logger, console: createConsole() })
    this.#stops.push(() => server.stop())
    const { url } = await server.start()
    const key = server.developmentKey ?? ''
    done(`HTTP API at ${url}; whoever operates it sends the header "authorization: Bearer ${key}"`)
    return { spine, url, key }
  }

  async #startDatabase(): Promise<string> {
    const { directory, done, progress } = this.#options
    const started = performance.now()
    progress('starting PostgreSQL')
    const database = new EmbeddedPostgres({ directory: join(directory, 'postgres'), log: progress })
    this.#stops.push(() => database.stop())
    const { url } = await database.start()
    done(
      `PostgreSQL started in ${Math.round(performance.now() - started)} ms, data in ${shortest(directory)}`,
    )
    return url
  }

  #openLog(file: string): Logger {
    mkdirSync(this.#options.directory, { recursive: true })
    const stream = createWriteStream(file, { flags: 'a' })
    this.#stops.push(() => new Promise((resolve) => stream.end(resolve)))
    return jsonLogger('info', Date.now, (line) => stream.write(line))
  }
}

function shortest(directory: string): string {
  const fromHere = relative(process.cwd(), directory)
  return fromHere === '' || fromHere.startsWith('..') ? directory : fromHere
}
