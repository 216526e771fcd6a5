// What a run that is interrupted, by Ctrl-C or kill -9, would leave behind: a server, its folder, and a disk that is mounted. A small process
// waits for the end of this one and clears them away. The guard inside @eventspine/embedded is that of temporary servers, which are never
// stopped and started again on their data, and knows of no disk.
import { type ChildProcess, spawn } from 'node:child_process'
import { dirname } from 'node:path'

// Its input ends when this process does; a line on it means that nothing is left. A folder of the server's that is a mount is a small disk.
const script = `
read -r word && exit 0
for round in 1 2 3 4 5 6 7 8 9 10; do
  pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
  [ -n "$pid" ] && kill -QUIT "$pid" 2>/dev/null
  rm -rf "$1" 2>/dev/null && break
  sleep 0.2
done
case "$3" in
  */eventspine-disk-*) umount -l "$3" 2>/dev/null; rm -rf "$3" ;;
esac
rm -rf "$1" "$2"`

export class Leftovers {
  readonly #shell: ChildProcess

  /** `data`: of the server; `directory`: its folder. */
  constructor(data: string, directory: string) {
    this.#shell = spawn('/bin/sh', ['-c', script, 'leftovers', data, directory, dirname(data)], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#shell.on('error', () => {})
    this.#shell.stdin?.on('error', () => {})
    this.#shell.unref()
    const input = this.#shell.stdin as (NodeJS.WritableStream & { unref?: () => void }) | null
    input?.unref?.()
  }

  /** All is cleared away. */
  none(): void {
    this.#shell.stdin?.end('none\n')
  }
}
