// What a run of the matrix says: a table for people, one line for machines per combination.
import type { Result } from './tests.js'

const failuresShownMax = 40

export type Verdict = Result & {
  readonly name: string
  readonly seconds: number
  /** Why it was skipped: a program that this machine lacks. */
  readonly missing: string | undefined
}

export function jsonOf({ name, passed, skipped, failed, seconds, missing }: Verdict): string {
  const line = { check: `matrix: ${name}`, runs: passed + failed.length, violations: failed.length }
  const more = missing === undefined ? { skipped, failed } : { missing }
  return JSON.stringify({ ...line, seed: null, seconds, ...more })
}

export function tableOf(verdicts: readonly Verdict[]): string[] {
  const width = Math.max(...verdicts.map(({ name }) => name.length))
  const row = (name: string, cells: readonly (string | number)[]) =>
    `${name.padEnd(width)}${cells.map((cell) => String(cell).padStart(9)).join('')}`
  return [
    row('combination', ['passed', 'failed', 'skipped', 's']),
    ...verdicts.map(({ name, passed, failed, skipped, seconds, missing }) =>
      missing === undefined
        ? row(name, [passed, failed.length, skipped, seconds])
        : `${name.padEnd(width)}  skipped: ${missing}`,
    ),
    ...verdicts.flatMap(({ name, failed }) =>
      failed.slice(0, failuresShownMax).map((each) => `! ${name}: ${each}`),
    ),
  ]
}
