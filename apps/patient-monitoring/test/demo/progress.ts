// Says on standard error what goes on, so that nobody thinks that it stands still: a line that turns on a terminal, plain lines elsewhere.

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const frameMs = 100

export class Progress {
  readonly #beganMs = performance.now()
  readonly #timer: NodeJS.Timeout | undefined
  #words = 'Starting'
  #frame = 0

  constructor() {
    if (process.stderr.isTTY) this.#timer = setInterval(() => this.#turn(), frameMs)
  }

  readonly say = (words: string): void => {
    this.#words = words
    if (this.#timer === undefined) process.stderr.write(`${this.#line}\n`)
  }

  /** Safe to call twice. */
  stop(): void {
    clearInterval(this.#timer)
    if (this.#timer !== undefined) process.stderr.write('\r\x1b[2K')
  }

  get #line(): string {
    return `${this.#words} · ${Math.round((performance.now() - this.#beganMs) / 1_000)} s`
  }

  #turn(): void {
    const line = `${frames[this.#frame++ % frames.length]} ${this.#line}`
    process.stderr.write(`\r\x1b[2K${line.slice(0, (process.stderr.columns || 80) - 1)}`)
  }
}
