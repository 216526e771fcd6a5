// What publishing answers.

/** The same for a repeat under the same id. */
export interface Published {
  readonly id: string
  readonly type: string
  readonly version: number
  readonly tenant: string
  readonly source: string
}
