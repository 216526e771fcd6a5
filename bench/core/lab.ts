// The place of a run: one PostgreSQL for all systems, Redis for the one that needs it, a fresh database for every
// measurement, and processes that are gone when it is stopped.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EmbeddedPostgres } from '@eventspine/embedded'
import pg from 'pg'
import type { Part, Place, SystemName } from '../systems/system.js'
import { type WorkflowSystemName, workflowSystems } from '../workflows/system.js'
import { isAtLeast, nodeProgram } from './node.js'
import type { Options } from './options.js'
import { Redis, redisVersion } from './redis.js'
import { RestateServer, restateProgram } from './restate.js'
import { Run } from './run.js'
import { Subject } from './subject.js'

const shownSettings =
  'server_version fsync synchronous_commit full_page_writes wal_level shared_buffers max_wal_size max_connections jit autovacuum shared_preload_libraries'
const peerNodes: Partial<Record<SystemName, readonly [number, number]>> = {
  'graphile-worker': [22, 18],
  'pg-boss': [22, 12],
}
const noRedis =
  'the program redis-server is missing (Debian: apt-get install redis-server); everything else is measured'

const createWritten = 'CREATE TABLE public.written (n bigint NOT NULL)'

export type Sql = <Row = unknown>(text: string) => Promise<Row[]>

export class Lab {
  readonly node = nodeProgram()
  readonly directory = fileURLToPath(new URL('../../.eventspine/bench', import.meta.url))
  readonly #postgres = new EmbeddedPostgres({ directory: join(this.directory, 'postgres') })
  readonly #redis = new Redis(join(this.directory, 'redis'))
  readonly #restate = new RestateServer(join(this.directory, 'restate'))
  readonly #subjects = new Set<Subject>()
  #url = ''
  #redisPort: number | null = null
  #databases = 0
  #stopped = false

  constructor(
    readonly options: Options,
    /** Told to the person who waits. */
    readonly say: (line: string) => void,
  ) {}

  /** Those asked for that can run here, ours first; each that cannot is told. */
  get systems(): readonly SystemName[] {
    return this.options.systems.filter((system) => this.#obstacle(system) === null)
  }

  /** For questions whose target is about Eventspine alone: a quick run leaves the peers out there. */
  get systemsOrOwn(): readonly SystemName[] {
    return this.options.quick ? this.systems.filter((system) => system === 'eventspine') : this.systems
  }

  #obstacle(system: SystemName): string | null {
    if (system === 'bullmq') return this.#redisPort === null ? noRedis : null
    const wanted = peerNodes[system]
    if (wanted === undefined || isAtLeast(this.node, wanted)) return null
    return `it needs Node ${wanted.join('.')}, this is ${this.node.version}`
  }

  /** Whether somebody asked to end: what fails from then on is no news. */
  get stopped(): boolean {
    return this.#stopped
  }

  async start(): Promise<void> {
    this.#url = (await this.#postgres.start()).url
    if (this.options.systems.includes('bullmq') && redisVersion() !== null)
      this.#redisPort = await this.#redis.start()
    for (const system of this.options.systems) {
      const obstacle = this.#obstacle(system)
      if (obstacle !== null) this.say(`${system} is left out: ${obstacle}.`)
    }
  }

  /** Ends every process and removes every file of the run. Safe to call twice, or before start. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all([...this.#subjects].map((subject) => subject.end()))
    await this.#redis.stop()
    await this.#restate.stop()
    await this.#postgres.stop()
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10 })
  }

  /** Restarts PostgreSQL with this library loaded, or with none. */
  async preload(library: 'pg_stat_statements' | null): Promise<void> {
    await this.sql(
      this.#url,
      library === null
        ? 'ALTER SYSTEM RESET shared_preload_libraries'
        : `ALTER SYSTEM SET shared_preload_libraries = ${library}`,
    )
    await this.#postgres.stop()
    this.#url = (await this.#postgres.start()).url
  }

  async settings(): Promise<Record<string, string>> {
    const rows = await this.sql<{ name: string; setting: string }>(
      this.#url,
      `SELECT name, current_setting(name) AS setting FROM pg_settings WHERE name = ANY (string_to_array('${shownSettings}', ' ')) ORDER BY name`,
    )
    return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
  }

  /** Measures in a database of its own, which is gone afterwards with all processes. */
  async run<Result>(system: SystemName, part: Part, measure: (run: Run) => Promise<Result>): Promise<Result> {
    const place = await this.#place()
    const run = new Run(this, system, place)
    try {
      if (part.transactional) await this.sql(place.databaseUrl, createWritten)
      await run.prepare(part)
      await this.sql(this.#url, 'CHECKPOINT')
      return await measure(run)
    } finally {
      await run.stop()
      await this.#drop(place)
    }
  }

  /** Those that can run here, ours first; each that cannot is told. */
  get workflowSystems(): readonly WorkflowSystemName[] {
    if (restateProgram() !== null) return workflowSystems
    this.say('restate is left out: its server is not there for this machine.')
    return workflowSystems.filter((system) => system !== 'restate')
  }

  /** One process with a database and, where it needs one, a server of its own; all gone afterwards. `sql` reaches that
   *  database. */
  async workflows<Result>(
    system: WorkflowSystemName,
    measure: (subject: Subject, sql: Sql) => Promise<Result>,
  ): Promise<Result> {
    const place = await this.#place()
    const program = system === 'restate' ? restateProgram() : null
    const subject = this.subject()
    try {
      await this.sql(this.#url, 'CHECKPOINT')
      const restate = program === null ? null : await this.#restate.start(program)
      await subject.call('openWorkflows', { system, place: { ...place, restate } })
      const result = await measure(subject, (text) => this.sql(place.databaseUrl, text))
      await subject.call('close')
      return result
    } finally {
      await this.end(subject)
      await this.#restate.stop()
      rmSync(join(this.directory, 'restate'), { recursive: true, force: true })
      await this.#drop(place)
    }
  }

  async #drop({ databaseUrl }: Place): Promise<void> {
    if (this.#stopped) return
    const name = new URL(databaseUrl).pathname.slice(1)
    await this.sql(this.#url, `DROP DATABASE ${name} WITH (FORCE)`)
  }

  async #place(): Promise<Place> {
    const name = `bench_${++this.#databases}`
    await this.sql(this.#url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await this.sql(this.#url, `CREATE DATABASE ${name}`)
    const url = new URL(this.#url)
    url.pathname = `/${name}`
    return { databaseUrl: url.href, redisPort: this.#redisPort }
  }

  subject(): Subject {
    if (this.#stopped) throw new Error('The bench was stopped')
    const subject = new Subject(this.node.path)
    this.#subjects.add(subject)
    return subject
  }

  async end(subject: Subject): Promise<void> {
    await subject.stop()
    this.#subjects.delete(subject)
  }

  /** One statement on a session of its own. */
  async sql<Row = unknown>(url: string, text: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: url, application_name: 'bench' })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query(text)).rows as Row[]
    } finally {
      await client.end()
    }
  }
}
