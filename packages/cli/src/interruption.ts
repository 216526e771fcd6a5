// Ctrl-C and SIGTERM. A command that knows how to end claims them; for any other the process ends at once, cleanly: a
// database that it started is stopped on exit. A second signal never waits.
import { exitCodes } from './failure.js'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
// npm passes on the Ctrl-C that the terminal has given to this process already: within this time it is one.
const oneSignalMs = 500

export class Interruption {
  readonly #controller = new AbortController()
  #claimed = false
  #force: () => Promise<void> = async () => {}
  #firstAtMs: number | undefined

  /** Aborted at the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  start(): void {
    for (const name of signals) process.on(name, this.#receive)
  }

  stop(): void {
    for (const name of signals) process.off(name, this.#receive)
  }

  /** From now on the first signal only aborts `signal`; a second one ends the process after `force`. */
  claim(force: () => Promise<void> = async () => {}): AbortSignal {
    this.#claimed = true
    this.#force = force
    return this.signal
  }

  readonly #receive = (): void => {
    const now = performance.now()
    const isFirst = this.#firstAtMs === undefined
    if (!isFirst && now - (this.#firstAtMs ?? 0) < oneSignalMs) return
    this.#firstAtMs ??= now
    this.#controller.abort()
    if (isFirst && this.#claimed) return
    const exit = () => process.exit(exitCodes.interrupted)
    this.#force().then(exit, exit)
  }
}
