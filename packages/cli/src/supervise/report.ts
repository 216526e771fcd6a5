// What a supervisor says about its processes: lines for a person, or JSON log lines for whoever collects them.
import type { Screen } from '../screen/screen.js'
import type { Text } from '../screen/text.js'

export class Report {
  readonly #screen: Screen
  readonly #asJson: boolean

  constructor(screen: Screen, asJson: boolean) {
    this.#screen = screen
    this.#asJson = asJson
  }

  /** Says it once: as a record, or as these lines. `event` names what happened, for programs. */
  say(event: string, fields: Readonly<Record<string, unknown>>, ...lines: readonly Text[]): void {
    if (!this.#asJson) return this.#screen.print(...lines)
    const level = event === 'died' || event === 'refused' ? 'error' : 'info'
    this.#screen.record({ time: new Date().toISOString(), level, message: event, ...fields })
  }
}
