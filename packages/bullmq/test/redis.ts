// A Redis of the test's own: the system's program, which writes each change to its disk before it answers.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from '@eventspine/embedded'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterTest, until } from '../../../test/spine.js'

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0

export class TestRedis {
  readonly connection: { readonly host: string; readonly port: number }
  readonly #folder = mkdtempSync(join(tmpdir(), 'eventspine-redis-'))
  readonly #settings: readonly string[]
  #child: ChildProcess | undefined

  private constructor(port: number, settings: readonly string[]) {
    this.connection = { host: '127.0.0.1', port }
    this.#settings = settings
  }

  /** Not started yet. Gone after the test. */
  static async make(...settings: string[]): Promise<TestRedis> {
    const redis = new TestRedis(await findFreePort(), settings)
    afterTest(async () => {
      await redis.kill()
      rmSync(redis.#folder, { recursive: true, force: true })
    })
    return redis
  }

  static async started(...settings: string[]): Promise<TestRedis> {
    const redis = await TestRedis.make(...settings)
    await redis.start()
    return redis
  }

  async start(): Promise<void> {
    const place = ['--port', String(this.connection.port), '--bind', '127.0.0.1', '--dir', this.#folder]
    const safe = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', '']
    let said = ''
    this.#child = spawn('redis-server', [...place, ...safe, ...this.#settings])
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    await until(() => said.includes('Ready to accept connections'))
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  async command(name: string, ...values: string[]): Promise<unknown> {
    const client = new Redis({ ...this.connection, lazyConnect: true })
    client.on('error', () => {})
    try {
      await client.connect()
      return await client.call(name, ...values)
    } finally {
      client.disconnect()
    }
  }

  /** Closed after the test. */
  queue(name = 'orders'): Queue {
    const queue = new Queue(name, { connection: this.connection })
    queue.on('error', () => {})
    afterTest(() => queue.disconnect())
    return queue
  }
}
