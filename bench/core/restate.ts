// Restate's server, from its npm package, with its default settings: one node, data in a folder of the run.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findFreePort } from '@eventspine/embedded'

const readyMsMax = 30_000
const pollMs = 100

/** The program; null where there is none for this machine. */
export function restateProgram(): string | null {
  const name = `@restatedev/restate-server-${process.platform}-${process.arch}`
  const program = fileURLToPath(new URL(`../node_modules/${name}/bin/restate-server`, import.meta.url))
  return existsSync(program) ? program : null
}

export class RestateServer {
  readonly #directory: string
  #child: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()

  constructor(directory: string) {
    this.#directory = directory
  }

  async start(program: string): Promise<{ readonly ingress: string; readonly admin: string }> {
    mkdirSync(this.#directory, { recursive: true })
    const [ingress, admin, fabric] = [await findFreePort(), await findFreePort(), await findFreePort()]
    const child = spawn(program, ['--base-dir', join(this.#directory, 'data'), '--node-name', 'bench'], {
      stdio: 'ignore',
      detached: true,
      env: {
        ...process.env,
        RESTATE_LISTEN_MODE: 'tcp',
        RESTATE_BIND_IP: '127.0.0.1',
        RESTATE_BIND_PORT: String(fabric),
        RESTATE_INGRESS__BIND_PORT: String(ingress),
        RESTATE_ADMIN__BIND_PORT: String(admin),
        RESTATE_LOG_FILTER: 'error',
        RESTATE_DISABLE_TELEMETRY: 'true',
      },
    })
    this.#child = child
    this.#ended = new Promise((ended) => {
      child.once('exit', ended)
      child.once('error', ended)
    })
    const place = { ingress: `http://127.0.0.1:${ingress}`, admin: `http://127.0.0.1:${admin}` }
    for (let waitedMs = 0; !(await answers(`${place.admin}/health`)); waitedMs += pollMs) {
      if (waitedMs > readyMsMax || child.exitCode !== null) throw new Error('restate-server did not start')
      await delay(pollMs)
    }
    return place
  }

  /** Safe to call twice, or before start. */
  async stop(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ended
  }
}

const answers = (url: string) =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )
