// What full runs have measured, a line for each question in docs/benchmarks.jsonl: a run takes hours where the machine is
// busy, and what it has when it is interrupted counts.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Answer } from './answer.js'
import type { Circumstances } from './report.js'

const path = fileURLToPath(new URL('../../docs/benchmarks.jsonl', import.meta.url))

export interface Kept {
  readonly name: string
  readonly title: string
  readonly answer: Answer
  readonly circumstances: Circumstances
}

/** In the order of `names`; what is no question any more is left out. */
export function keptOf(names: readonly string[]): readonly Kept[] {
  const kept = new Map(lines().map((each) => [each.name, each]))
  return names.flatMap((name) => kept.get(name) ?? [])
}

/** In the place of what was measured of that question before. */
export function keep(one: Kept): void {
  const others = lines().filter(({ name }) => name !== one.name)
  writeFileSync(path, [...others, one].map((each) => `${JSON.stringify(each)}\n`).join(''))
}

function lines(): Kept[] {
  if (!existsSync(path)) return []
  const text = readFileSync(path, 'utf8')
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Kept]))
}
