// Nobody starts a temporary directory again, so nobody would adopt the server that a killed test run leaves behind:
// a small process waits for the end of this one, however it comes, and cleans up.
import { type ChildProcess, spawn } from 'node:child_process'
import type { Layout } from './layout.js'

// The input of the guard ends when this process does; a line on it means that there is nothing left to do.
const guardScript = `
read -r word && exit 0
for round in 1 2 3 4 5 6 7 8 9 10; do
  pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
  [ -n "$pid" ] && kill -QUIT "$pid" 2>/dev/null
  rm -rf "$1" 2>/dev/null && exit 0
  sleep 0.2
done
rm -rf "$1"`

/** Removes a temporary server when this process ends without having done so, even by kill -9. */
export class TemporaryGuard {
  readonly #shell: ChildProcess | undefined

  constructor(layout: Layout) {
    if (process.platform === 'win32') return
    this.#shell = spawn('/bin/sh', ['-c', guardScript, 'guard', layout.directory], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#shell.on('error', () => {})
    this.#shell.stdin?.on('error', () => {})
    this.#shell.unref()
    // A pipe keeps the event loop alive of its own.
    const input = this.#shell.stdin as (NodeJS.WritableStream & { unref?: () => void }) | null
    input?.unref?.()
  }

  /** Nothing is left to clean up. */
  dismiss(): void {
    this.#shell?.stdin?.end('done\n')
  }
}
