// The Redis that BullMQ needs, from the system's own program: AOF everysec and noeviction, as its guide asks.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findFreePort } from '@eventspine/embedded'

const readyMsMax = 10_000
const pollMs = 50

export const redisSettings = {
  appendonly: 'yes',
  appendfsync: 'everysec',
  'maxmemory-policy': 'noeviction',
  save: '',
}

/** The version of the program, or null when there is none. */
export function redisVersion(): string | null {
  const { status, stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' })
  return status === 0 ? (/v=([\d.]+)/.exec(stdout)?.[1] ?? 'unknown') : null
}

export class Redis {
  readonly #directory: string
  #child: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Answers the port on 127.0.0.1. */
  async start(): Promise<number> {
    mkdirSync(this.#directory, { recursive: true })
    const pidFile = join(this.#directory, 'redis.pid')
    endLeftBehind(pidFile)
    const port = await findFreePort()
    const settings = Object.entries(redisSettings).flatMap(([name, value]) => [`--${name}`, value])
    const place = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      this.#directory,
      '--pidfile',
      pidFile,
    ]
    // In a group of its own: Ctrl-C must not end it before those that use it.
    const child = spawn('redis-server', [...place, ...settings], { stdio: 'ignore', detached: true })
    this.#child = child
    this.#ended = new Promise((ended) => {
      child.once('exit', ended)
      child.once('error', ended)
    })
    for (let waitedMs = 0; !(await answers(port)); waitedMs += pollMs) {
      if (waitedMs > readyMsMax || child.exitCode !== null) throw new Error('redis-server did not start')
      await delay(pollMs)
    }
    return port
  }

  /** Safe to call twice, or before start. */
  async stop(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ended
  }
}

/** Whether something listens there, on 127.0.0.1. */
export function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      done(true)
    })
    socket.once('error', () => done(false))
  })
}

// By a run that was killed. Only Linux tells whether the number still is that of a Redis.
function endLeftBehind(pidFile: string): void {
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8'))
  try {
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('redis-server')) process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone, as it should be.
  }
}
