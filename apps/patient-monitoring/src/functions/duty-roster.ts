// Whose turn it is: who is on duty, less who was told. As an escalation knows it, from the alarm, the database and what is set meanwhile.

export class DutyRoster {
  readonly #told = new Set<string>()
  #people: readonly string[]
  #isSet = false

  /** Who was on duty when the alarm was raised. */
  constructor(people: readonly string[]) {
    this.#people = people
  }

  /** The first has just been read; and what was heard is never older than the database. */
  get mayBeOld(): boolean {
    return !this.#isSet && (this.#told.size > 0 || this.#people.length === 0)
  }

  get next(): string | undefined {
    return this.#people.find((person) => !this.#told.has(person))
  }

  get lead(): string | undefined {
    return this.#people.at(-1)
  }

  has(person: string): boolean {
    return this.#people.includes(person)
  }

  /** How many were told by now. */
  tell(person: string): number {
    return this.#told.add(person).size
  }

  /** From the database. */
  read(people: readonly string[]): void {
    this.#people = people
  }

  /** Somebody has said so meanwhile. */
  set(people: readonly string[]): void {
    this.#people = people
    this.#isSet = true
  }
}
