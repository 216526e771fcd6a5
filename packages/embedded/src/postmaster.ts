// The server's main process: found by its pid file, started, awaited and stopped. It runs in a session of its own,
// so Ctrl-C in the terminal does not take the database away from a program that is still finishing its work.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { commandFor, giveToOwnerOf } from './account.js'
import type { Place } from './cluster.js'
import { EmbeddedDatabaseError } from './errors.js'
import type { Layout } from './layout.js'
import {
  isAlive,
  type ProcessIdentity,
  processesIn,
  signal,
  startOf,
  waitUntil,
  worksIn,
} from './processes.js'

/** A server that runs now. The state is PostgreSQL's own word: starting, ready, stopping. */
export type Postmaster = ProcessIdentity & { readonly port: number; readonly state: string }

/** How to stop: `fast` ends the sessions and writes everything down, `immediate` leaves that to the next start. */
export type StopMode = 'fast' | 'immediate'

// Replaying two gigabytes of log after a crash may take minutes on a slow disk.
const readyMsMax = 300_000
const fastStopMsMax = 30_000
const immediateStopMsMax = 3_000
const strayStopMsMax = 2_000
const serverLogBytesMax = 10_000_000
const logTailChars = 2_000

/** The living server of this data directory, if any. A stale pid file finds nothing, even when its pid lives again. */
export function findPostmaster(layout: Layout): Postmaster | undefined {
  const lines = pidFileLines(layout)
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 0 || !worksIn(pid, layout.data)) return undefined
  const startedAt = startOf(pid)
  if (startedAt === undefined) return undefined
  return { pid, startedAt, port: Number(lines[3] ?? 0), state: lines[7]?.trim() ?? 'starting' }
}

/** Starts a server on this port and waits until it takes sessions. */
export async function launch(place: Place, port: number): Promise<Postmaster> {
  const { layout } = place
  keepLogSmall(layout)
  const log = openSync(layout.serverLog, 'a', 0o600)
  giveToOwnerOf(layout.directory, layout.serverLog)
  const logOffset = statSync(layout.serverLog).size
  const command = commandFor(place.account, place.binaries.postgres, serverParameters(place, port))
  const child = spawn(command.command, command.parameters, {
    ...command.options,
    cwd: layout.data,
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.unref()
  return awaitOwn(layout, child, logOffset)
}

/** Waits until a server that is starting takes sessions. Undefined when it ended or did not get there. */
export async function awaitReady(layout: Layout): Promise<Postmaster | undefined> {
  await waitUntil(() => findPostmaster(layout)?.state !== 'starting', readyMsMax)
  const found = findPostmaster(layout)
  return found?.state === 'ready' ? found : undefined
}

/** Stops the server and waits until it and all its processes are gone. Presses harder when it does not obey. */
export async function stopPostmaster(layout: Layout, server: ProcessIdentity, mode: StopMode): Promise<void> {
  if (mode === 'fast') await press(server, 'SIGINT', fastStopMsMax)
  await press(server, 'SIGQUIT', immediateStopMsMax)
  await press(server, 'SIGKILL', immediateStopMsMax)
  await clearAway(layout)
  if (!isAlive(server)) return
  throw new EmbeddedDatabaseError(
    'EMBEDDED_DATABASE_STOP_FAILED',
    `The database process ${server.pid} did not end even when killed. The disk may hang; look at ${layout.serverLog}.`,
  )
}

/**
 * After a postmaster was killed its sessions may work on for a while. Two sets of them on one data directory would
 * destroy it, so they are ended before anything new starts; then the pid file names nobody.
 */
export async function clearAway(layout: Layout): Promise<void> {
  for (const name of ['SIGQUIT', 'SIGKILL'] as const) {
    for (const pid of processesIn(layout.data)) signal(pid, name)
    await waitUntil(() => processesIn(layout.data).length === 0, strayStopMsMax)
  }
  if (findPostmaster(layout) === undefined) rmSync(join(layout.data, 'postmaster.pid'), { force: true })
}

/** The end of what the server wrote about this start. */
export function logTail(layout: Layout, offset: number): string {
  const log = existsSync(layout.serverLog)
    ? readFileSync(layout.serverLog).subarray(offset).toString('utf8')
    : ''
  return log.slice(-logTailChars).trim()
}

async function press(server: ProcessIdentity, name: NodeJS.Signals, waitMsMax: number): Promise<void> {
  if (!isAlive(server)) return
  signal(server.pid, name)
  await waitUntil(() => !isAlive(server), waitMsMax)
}

function serverParameters(place: Place, port: number): string[] {
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'logging_collector=off',
    'log_destination=stderr',
    ...(place.temporary ? ['fsync=off', 'full_page_writes=off'] : []),
  ]
  return ['-D', place.layout.data, ...settings.flatMap((setting) => ['-c', setting])]
}

async function awaitOwn(layout: Layout, child: ChildProcess, logOffset: number): Promise<Postmaster> {
  let failure: string | undefined
  child.once('error', (error) => {
    failure = error.message
  })
  child.once('exit', (code, signalName) => {
    failure = `It ended with ${signalName ?? `exit code ${code}`}.`
  })
  const own = () => {
    const found = findPostmaster(layout)
    return found?.pid === child.pid && found?.state === 'ready' ? found : undefined
  }
  await waitUntil(() => failure !== undefined || own() !== undefined, readyMsMax)
  const server = own()
  if (server !== undefined) return server
  if (child.pid !== undefined && failure === undefined) signal(child.pid, 'SIGQUIT')
  throw startFailure(layout, failure ?? 'It was not ready within five minutes.', logOffset)
}

function startFailure(layout: Layout, reason: string, logOffset: number): EmbeddedDatabaseError {
  const said = logTail(layout, logOffset)
  const taken = /could not bind|Address already in use/.test(said)
  return new EmbeddedDatabaseError(
    taken ? 'EMBEDDED_DATABASE_PORT_TAKEN' : 'EMBEDDED_DATABASE_START_FAILED',
    `The embedded database did not start. ${reason} Its log is ${layout.serverLog}; it said:\n${said}`,
  )
}

function pidFileLines(layout: Layout): string[] {
  try {
    return readFileSync(join(layout.data, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return []
  }
}

function keepLogSmall(layout: Layout): void {
  if (!existsSync(layout.serverLog) || statSync(layout.serverLog).size < serverLogBytesMax) return
  renameSync(layout.serverLog, `${layout.serverLog}.1`)
}
