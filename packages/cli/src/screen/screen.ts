// Where a command prints: answers to standard output, everything about the way there to standard error. With --json an
// answer is one JSON document (or lines of it), and errors are JSON too.
import picocolors from 'picocolors'
import { type Colors, render, type Text } from './text.js'
import { visibleJson } from './visible.js'

/** A stream as Node's standard ones are. */
export interface Stream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export interface ScreenOptions {
  readonly output: Stream
  readonly errors: Stream
  readonly input: { readonly isTTY?: boolean }
  readonly environment: NodeJS.ProcessEnv
  readonly json: boolean
}

const indentJson = 2

export class Screen {
  readonly json: boolean
  readonly #options: ScreenOptions
  readonly #outputColors: Colors
  readonly #errorColors: Colors

  constructor(options: ScreenOptions) {
    const { output, errors, environment, json } = options
    this.#options = options
    this.json = json
    const may = !environment.NO_COLOR && environment.TERM !== 'dumb'
    this.#outputColors = picocolors.createColors(may && output.isTTY === true)
    this.#errorColors = picocolors.createColors(may && errors.isTTY === true)
  }

  /** Columns of the terminal. What goes to a file or a pipe is never cut. */
  get width(): number {
    const { output } = this.#options
    return output.isTTY === true ? Math.max(40, output.columns ?? 80) : Number.POSITIVE_INFINITY
  }

  /** Whether standard error is a terminal, on which a line may be drawn anew. */
  get moves(): boolean {
    return this.#options.errors.isTTY === true && this.#options.environment.TERM !== 'dumb'
  }

  /** Whether the answer goes to a terminal. */
  get isTerminal(): boolean {
    return this.#options.output.isTTY === true
  }

  /** Whether there is a person who can be asked. */
  get interactive(): boolean {
    return !this.json && this.#options.input.isTTY === true && this.#options.errors.isTTY === true
  }

  /** Lines on standard output. */
  print(...lines: readonly Text[]): void {
    for (const line of lines) this.#options.output.write(`${render(line, this.#outputColors)}\n`)
  }

  /** The answer of a command: `value` with --json, else what `lines` makes of it. */
  answer(value: unknown, lines: () => readonly Text[]): void {
    if (this.json) this.#options.output.write(`${visibleJson(value, indentJson)}\n`)
    else this.print(...lines())
  }

  /** One line of a stream of answers: one line of JSON with --json. */
  entry(value: unknown, line: () => Text): void {
    if (this.json) this.#options.output.write(`${visibleJson(value)}\n`)
    else this.print(line())
  }

  /** One line of JSON, whether --json was given or not. */
  record(value: unknown): void {
    this.#options.output.write(`${visibleJson(value)}\n`)
  }

  /** Said on the way, on standard error; nothing with --json. */
  note(...lines: readonly Text[]): void {
    if (this.json) return
    for (const line of lines) this.#options.errors.write(`${render(line, this.#errorColors)}\n`)
  }

  /** A line that another process wrote to standard error: as it is with --json, else as it is read. */
  passOn(line: string, text: Text): void {
    if (this.json) this.#options.errors.write(`${line}\n`)
    else this.note(text)
  }

  /** An error: said in both forms. */
  complain(value: unknown, ...lines: readonly Text[]): void {
    if (this.json) this.#options.errors.write(`${visibleJson(value)}\n`)
    else this.note(...lines)
  }

  /** Draws `line` in place of the last one drawn; an empty one removes it. Only where `moves`. */
  draw(line: Text): void {
    if (this.moves && !this.json) this.#options.errors.write(`\r\u001b[2K${render(line, this.#errorColors)}`)
  }

  /** Columns of the terminal on standard error. */
  get drawWidth(): number {
    return Math.max(40, this.#options.errors.columns ?? 80)
  }
}
