// The combinations of Node and PostgreSQL that the library's tests have to pass on.
import { existsSync } from 'node:fs'
import { startTemporaryPostgres } from '@eventspine/embedded'
import { Missing } from './missing.js'
import { installedNode } from './node.js'
import { startPgBouncer } from './pgbouncer.js'

export interface Surroundings {
  /** The Node program that runs the tests. */
  readonly node: string
  readonly databaseUrl: string
  /** Past a pooler, where one stands before it. */
  readonly directUrl?: string
  stop(): Promise<void>
}

export interface Combination {
  readonly name: string
  /** Throws `Missing` when this machine lacks a part that cannot be installed. */
  readonly start: (say: (line: string) => void) => Promise<Surroundings>
}

const debianPostgres = '/usr/lib/postgresql/15/bin/postgres'
const ownNode = process.versions.node.split('.')[0]

const onNode = (version: string): Combination => ({
  name: `Node ${version.split('.')[0]}, PostgreSQL 18 (embedded)`,
  async start(say) {
    const node = await installedNode(version, say)
    const { url, stop } = await startTemporaryPostgres()
    return { node, databaseUrl: url, stop }
  },
})

const onOwnNode: Combination = {
  name: `Node ${ownNode}, PostgreSQL 18 (embedded)`,
  async start() {
    const { url, stop } = await startTemporaryPostgres()
    return { node: process.execPath, databaseUrl: url, stop }
  },
}

const onDebianPostgres: Combination = {
  name: `Node ${ownNode}, PostgreSQL 15 (Debian)`,
  async start() {
    if (!existsSync(debianPostgres)) throw new Missing(`no ${debianPostgres}: apt-get install postgresql-15`)
    const { url, stop } = await startTemporaryPostgres({ postgresBinary: debianPostgres })
    return { node: process.execPath, databaseUrl: url, stop }
  },
}

const behindPgBouncer: Combination = {
  name: `Node ${ownNode}, PostgreSQL 18 behind PgBouncer (transaction mode)`,
  async start(say) {
    const postgres = await startTemporaryPostgres()
    try {
      const bouncer = await startPgBouncer(postgres.url, say)
      const stop = async () => {
        await bouncer.stop()
        await postgres.stop()
      }
      return { node: process.execPath, databaseUrl: bouncer.url, directUrl: postgres.url, stop }
    } catch (error) {
      await postgres.stop()
      throw error
    }
  },
}

export const combinations: readonly Combination[] = [
  onOwnNode,
  onNode('22.23.3'),
  onNode('24.21.0'),
  onDebianPostgres,
  behindPgBouncer,
]
