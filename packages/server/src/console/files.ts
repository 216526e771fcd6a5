// What the server needs of a console: its files. `createConsole()` of @eventspine/console has them; the server runs
// without it as well.

export interface ConsoleFile {
  /** Such as text/css; charset=utf-8 */
  readonly contentType: string
  readonly bytes: Buffer
  readonly gzipped: Buffer
}

export interface ConsoleFiles {
  /** `ready`: there is an index.html. */
  readonly state: 'stopped' | 'building' | 'ready' | 'failed'
  /** Why there is none, and will be none. */
  readonly failure: string | undefined
  /** By its path below /console/, such as `index.html` or `assets/index-Bx1.js`. */
  file(path: string): ConsoleFile | undefined
  /** Called when the server starts; must not throw. */
  start(): void
  stop(): Promise<void>
}
