// Gets a directory from any state (empty, stopped, running, crashed, half made) to a server that takes sessions.
// Called under the lock of the directory.
import { readFileSync, writeFileSync } from 'node:fs'
import { chooseAccount, giveToOwnerOf } from './account.js'
import { findBinaries } from './binaries.js'
import { ensureCluster, type Place, readPassword, roleName } from './cluster.js'
import { EmbeddedDatabaseError } from './errors.js'
import type { Layout } from './layout.js'
import { answers, findFreePort, isFree } from './ports.js'
import {
  awaitReady,
  clearAway,
  findPostmaster,
  launch,
  type Postmaster,
  stopPostmaster,
} from './postmaster.js'
import { waitUntil } from './processes.js'

/** What the owner of a server decides about it. */
export type ServerChoices = {
  readonly postgresBinary: string | undefined
  readonly temporary: boolean
  /** The port that the caller insists on; undefined when any will do. */
  readonly port: number | undefined
  readonly log: (line: string) => void
}

const launchTriesMax = 3
const stoppingMsMax = 30_000

/** The running server of the directory: the one that is there when it is healthy, else a new one. */
export async function ensureServer(layout: Layout, choices: ServerChoices): Promise<Postmaster> {
  const found = await adopt(layout)
  if (found !== undefined) {
    choices.log(
      `Using the PostgreSQL server that already runs here (process ${found.pid}, port ${found.port}).`,
    )
    return found
  }
  await clearAway(layout)
  const binaries = findBinaries(layout.overlay, choices.postgresBinary)
  const account = chooseAccount(layout.directory, binaries.postgres)
  const place = { layout, binaries, account, temporary: choices.temporary }
  await ensureCluster(place)
  return launchOnPort(place, choices)
}

/** The address of the running server, password included. */
export function addressOf(layout: Layout, server: Postmaster): string {
  return `postgres://${roleName}:${readPassword(layout) ?? ''}@127.0.0.1:${server.port}/${roleName}`
}

// A server left behind by a killed process is as good as a new one, and its cache is warm. One that does not answer
// is stopped, as is one whose password was lost.
async function adopt(layout: Layout): Promise<Postmaster | undefined> {
  const found = findPostmaster(layout)
  if (found === undefined) return undefined
  if (found.state === 'stopping') {
    await waitUntil(() => findPostmaster(layout) === undefined, stoppingMsMax)
  }
  const ready = await awaitReady(layout)
  const healthy = ready !== undefined && (await answers(ready.port, roleName))
  if (healthy && readPassword(layout) !== undefined) return ready
  const unfit = findPostmaster(layout)
  if (unfit !== undefined) await stopPostmaster(layout, unfit, healthy ? 'fast' : 'immediate')
  return undefined
}

async function launchOnPort(place: Place, choices: ServerChoices): Promise<Postmaster> {
  for (let tries = 1; ; tries += 1) {
    const port = await choosePort(place.layout, choices.port)
    try {
      const server = await launch(place, port)
      rememberPort(place.layout, port)
      choices.log(`PostgreSQL runs in ${place.layout.directory} (process ${server.pid}, port ${port}).`)
      return server
    } catch (error) {
      // Between choosing a port and listening on it, another program may have taken it.
      const taken = error instanceof EmbeddedDatabaseError && error.code === 'EMBEDDED_DATABASE_PORT_TAKEN'
      if (!taken || choices.port !== undefined || tries === launchTriesMax) throw error
    }
  }
}

async function choosePort(layout: Layout, wanted: number | undefined): Promise<number> {
  if (wanted === undefined) return findFreePort(rememberedPort(layout))
  if (await isFree(wanted)) return wanted
  throw new EmbeddedDatabaseError(
    'EMBEDDED_DATABASE_PORT_TAKEN',
    `Port ${wanted} on 127.0.0.1 is taken by another program. Stop that program, choose another port, or leave the port out to get a free one.`,
  )
}

function rememberedPort(layout: Layout): number | undefined {
  try {
    const port = Number(readFileSync(layout.port, 'utf8'))
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined
  } catch {
    return undefined
  }
}

function rememberPort(layout: Layout, port: number): void {
  writeFileSync(layout.port, `${port}\n`)
  giveToOwnerOf(layout.directory, layout.port)
}
