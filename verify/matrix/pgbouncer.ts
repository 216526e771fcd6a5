// PgBouncer in transaction mode in front of a server: as a Debian package, unpacked into a folder, installed nowhere.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findFreePort } from '@eventspine/embedded'
import { command } from './command.js'
import { matrixFolder } from './folder.js'
import { Missing } from './missing.js'

const packages = ['pgbouncer', 'libevent-2.1-7', 'libc-ares2']
const startMsMax = 10_000
const pollMs = 50

export interface PgBouncer {
  /** Says with `pgbouncer=true` what is between. */
  readonly url: string
  stop(): Promise<void>
}

export async function startPgBouncer(databaseUrl: string, say: (line: string) => void): Promise<PgBouncer> {
  const installation = await unpacked(say)
  const port = await findFreePort()
  const folder = mkdtempSync(join(tmpdir(), 'eventspine-pgbouncer-'))
  const file = join(folder, 'pgbouncer.ini')
  writeFileSync(file, settings(databaseUrl, port))
  const isRoot = process.getuid?.() === 0
  // It refuses to run as root, and has to read its settings as somebody else.
  if (isRoot) for (const path of [folder, file]) chmodSync(path, 0o755)
  const child = spawn(join(installation, 'usr/sbin/pgbouncer'), [...(isRoot ? ['-u', 'nobody'] : []), file], {
    stdio: 'ignore',
    env: { ...process.env, LD_LIBRARY_PATH: libraries(installation) },
  })
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
    rmSync(folder, { recursive: true, force: true })
  }
  child.once('error', () => {})
  for (let waitedMs = 0; !(await answers(port)); waitedMs += pollMs) {
    if (waitedMs > startMsMax || child.exitCode !== null) {
      await stop()
      throw new Missing('PgBouncer does not start')
    }
    await delay(pollMs)
  }
  const url = new URL(databaseUrl)
  url.port = String(port)
  url.searchParams.set('pgbouncer', 'true')
  return { url: url.href, stop }
}

async function unpacked(say: (line: string) => void): Promise<string> {
  const folder = matrixFolder('pgbouncer')
  if (existsSync(join(folder, 'usr/sbin/pgbouncer'))) return folder
  say('Downloading PgBouncer (Debian package)')
  await command('apt-get', ['download', ...packages], folder)
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.deb')))
    await command('dpkg-deb', ['-x', file, folder], folder)
  return folder
}

function libraries(installation: string): string {
  const folder = join(installation, 'usr/lib')
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .join(':')
}

function settings(databaseUrl: string, port: number): string {
  const { hostname, port: target, username, password } = new URL(databaseUrl)
  return `[databases]
* = host=${hostname} port=${target} user=${username} password=${password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
max_client_conn = 1000
default_pool_size = 60
server_idle_timeout = 5
ignore_startup_parameters = extra_float_digits,options
`
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
