// A bar for long work: drawn anew on a terminal, a plain line now and then elsewhere, nothing with --json.
import type { Screen } from './screen.js'
import { cyan, dim, fitted, type Text } from './text.js'

const barColumns = 24
const plainLineMs = 10_000

export class ProgressBar {
  readonly #screen: Screen
  readonly #title: string
  #saidAtMs = Date.now()

  constructor(screen: Screen, title: string) {
    this.#screen = screen
    this.#title = title
  }

  /** `share` is 0 to 1; `text` says it in numbers. */
  update(share: number, text: string): void {
    const line = this.#line(Math.min(1, Math.max(0, share)), text)
    if (this.#screen.moves) return this.#screen.draw(fitted(line, this.#screen.drawWidth - 1))
    if (Date.now() - this.#saidAtMs < plainLineMs) return
    this.#saidAtMs = Date.now()
    this.#screen.note(`${this.#title} ${Math.round(share * 100)} % ${text}`)
  }

  /** Removes the bar. */
  end(): void {
    this.#screen.draw('')
  }

  #line(share: number, text: string): Text {
    const full = Math.round(share * barColumns)
    const percent = `${Math.floor(share * 100)} %`.padStart(5)
    return [
      this.#title,
      ' ',
      cyan('━'.repeat(full)),
      dim('━'.repeat(barColumns - full)),
      ` ${percent}  `,
      dim(text),
    ]
  }
}
