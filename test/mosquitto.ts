// A mosquitto of a test's own, in a folder of its own: started, ended as its service would be, and started again with what it
// had saved.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { authority, broker } from './certificates.js'
import { afterTest, until } from './spine.js'

const program = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'].find(
  existsSync,
)

/** Why its tests are skipped: never in CI, which installs it. */
export const missing = program === undefined && process.env['CI'] === undefined
if (missing) console.warn('skipped: there is no mosquitto here. Install it: apt-get install mosquitto')

export class Mosquitto {
  readonly #folder = mkdtempSync(join(tmpdir(), 'eventspine-mosquitto-'))
  #child: ChildProcess | undefined
  #secure = false
  output = ''
  port = 0

  /** With `tls` it speaks that alone; with `clients`, to those only whom its authority has given a certificate. */
  static async start(tls?: { readonly clients?: boolean }): Promise<Mosquitto> {
    const started = new Mosquitto()
    started.port = await freePort()
    started.#secure = tls !== undefined
    writeFileSync(
      join(started.#folder, 'mosquitto.conf'),
      [
        ...[`listener ${started.port} 127.0.0.1`, 'allow_anonymous true', 'persistence true'],
        ...[`persistence_location ${started.#folder}/`, 'max_queued_messages 0', 'max_inflight_messages 0'],
        // As root it would change its user, who may not write here.
        ...['user root', 'log_type error', 'log_type warning', 'log_type notice', 'log_dest stdout'],
        ...(tls === undefined ? [] : started.#tls(tls)),
      ].join('\n'),
    )
    afterTest(async () => {
      await started.stop('SIGKILL')
      rmSync(started.#folder, { recursive: true })
    })
    await started.start()
    return started
  }

  get url(): string {
    return `${this.#secure ? 'mqtts' : 'mqtt'}://127.0.0.1:${this.port}`
  }

  #tls({ clients = false }: { readonly clients?: boolean }): string[] {
    const file = (name: string, text: string) => {
      const path = join(this.#folder, name)
      writeFileSync(path, text)
      return path
    }
    return [
      ...[`cafile ${file('ca.crt', authority)}`, `certfile ${file('broker.crt', broker.cert)}`],
      ...[`keyfile ${file('broker.key', broker.key)}`, `require_certificate ${clients}`],
    ]
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
