// A mosquitto of a test's own, in a folder of its own: started, ended as its service would be, and started again with what it
// had saved.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterTest, until } from '../../../test/spine.js'

const program = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'].find(
  existsSync,
)

/** Why its tests are skipped: never in CI, which installs it. */
export const missing = program === undefined && process.env['CI'] === undefined
if (missing) console.warn('skipped: there is no mosquitto here. Install it: apt-get install mosquitto')

export class Mosquitto {
  readonly #folder = mkdtempSync(join(tmpdir(), 'eventspine-mosquitto-'))
  #child: ChildProcess | undefined
  output = ''
  port = 0

  static async start(): Promise<Mosquitto> {
    const broker = new Mosquitto()
    broker.port = await freePort()
    writeFileSync(
      join(broker.#folder, 'mosquitto.conf'),
      [
        ...[`listener ${broker.port} 127.0.0.1`, 'allow_anonymous true', 'persistence true'],
        ...[`persistence_location ${broker.#folder}/`, 'max_queued_messages 0', 'max_inflight_messages 0'],
        // As root it would change its user, who may not write here.
        ...['user root', 'log_type error', 'log_type warning', 'log_type notice', 'log_dest stdout'],
      ].join('\n'),
    )
    afterTest(async () => {
      await broker.stop('SIGKILL')
      rmSync(broker.#folder, { recursive: true })
    })
    await broker.start()
    return broker
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    this.#child = spawn(program ?? 'mosquitto', ['-c', join(this.#folder, 'mosquitto.conf')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const listen = (chunk: Buffer) => {
      this.output = (this.output + chunk).slice(-100_000)
    }
    this.#child.stdout?.on('data', listen)
    this.#child.stderr?.on('data', listen)
    await until(() => this.#listens())
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, 'exit')
  }

  #listens(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
