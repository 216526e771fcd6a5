// The MQTT broker whose messages are to come into the log, from the system's own program: it keeps all that waits, in memory and,
// when it ends, on disk.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findFreePort } from '@eventspine/embedded'
import { answers } from './redis.js'
import { tied } from './tied.js'

const readyMsMax = 10_000
const pollMs = 50
const program =
  ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'].find(existsSync) ??
  'mosquitto'

export const mosquittoSettings = {
  persistence: 'true',
  max_queued_messages: '0',
  max_inflight_messages: '0',
  allow_anonymous: 'true',
}

/** The version of the program, or null when there is none. */
export function mosquittoVersion(): string | null {
  const { stdout, error } = spawnSync(program, ['-h'], { encoding: 'utf8' })
  return error === undefined ? (/version ([\d.]+)/.exec(stdout)?.[1] ?? 'unknown') : null
}

export class Mosquitto {
  readonly #directory: string
  #child: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()
  port = 0

  constructor(directory: string) {
    this.#directory = directory
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`
  }

  get processId(): number {
    return this.#child?.pid ?? 0
  }

  /** Again after `stop`: with what it had saved, at the same port. */
  async start(): Promise<void> {
    mkdirSync(this.#directory, { recursive: true })
    if (this.port === 0) this.port = await findFreePort()
    const configuration = join(this.#directory, 'mosquitto.conf')
    const settings = Object.entries(mosquittoSettings).map(([name, value]) => `${name} ${value}`)
    // As root it would change its user, who may not write here.
    const place = [`listener ${this.port} 127.0.0.1`, `persistence_location ${this.#directory}/`, 'user root']
    writeFileSync(configuration, [...settings, ...place].join('\n'))
    const child = tied(spawn(program, ['-c', configuration], { stdio: 'ignore' }))
    this.#child = child
    this.#ended = new Promise((ended) => {
      child.once('exit', ended)
      child.once('error', ended)
    })
    for (let waitedMs = 0; !(await answers(this.port)); waitedMs += pollMs) {
      if (waitedMs > readyMsMax || child.exitCode !== null) throw new Error('mosquitto did not start')
      await delay(pollMs)
    }
  }

  /** As its service is stopped: it saves what it holds. Safe to call twice, or before start. */
  async stop(): Promise<void> {
    this.#child?.kill('SIGTERM')
    await this.#ended
  }

  /** And removes what it had saved. */
  async remove(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ended
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
