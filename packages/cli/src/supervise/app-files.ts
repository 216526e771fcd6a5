// Which changes below an app's folder start it anew: those of files that it has loaded, and of its configuration. What it reads and
// writes there as data is its own affair.
import { basename, sep } from 'node:path'

const configuration = new Set(['package.json', 'tsconfig.json', 'jsconfig.json'])

export class AppFiles {
  readonly #loaded = new Set<string>()
  #broken = false

  /** A file that the app has loaded. One that it loads no more counts on: a change too many does no harm. */
  add(path: string): void {
    this.#loaded.add(path)
  }

  /** It could not start. Any change may mend it, also of a file that it would have come to only later. */
  failed(): void {
    this.#broken = true
  }

  /** It runs. */
  works(): void {
    this.#broken = false
  }

  /** Whether a change of this file, or of what lies below this folder, is one of the app. */
  concerns(path: string): boolean {
    if (this.#broken || this.#loaded.has(path) || configuration.has(basename(path))) return true
    for (const file of this.#loaded) if (file.startsWith(path + sep)) return true
    return false
  }
}
