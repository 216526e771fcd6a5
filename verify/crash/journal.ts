// What a publisher set out to do and what it was told, in a file of its own. A line is on the disk before the
// publisher goes on.
import { type FileHandle, open, readFile } from 'node:fs/promises'

/** What became of a publish. `refused`: the library says that nothing was stored. `unknown`: it cannot say.
 *  `wrong`: an error that the documentation does not have for this. */
export type Answer = 'acked' | 'unknown' | 'refused' | 'wrong'

export class Journal {
  readonly #file: FileHandle
  #lines: string[] = []
  #writing: Promise<void> | undefined

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async open(path: string): Promise<Journal> {
    return new Journal(await open(path, 'a'))
  }

  /** Resolves when the line is on the disk. */
  async write(line: string): Promise<void> {
    this.#lines.push(`${line}\n`)
    const under = this.#writing
    if (under !== undefined) {
      await under
      if (this.#lines.length === 0) return this.#writing
    }
    this.#writing ??= this.#flush().finally(() => {
      this.#writing = undefined
    })
    return this.#writing
  }

  async #flush(): Promise<void> {
    await undefined
    const lines = this.#lines.splice(0).join('')
    await this.#file.appendFile(lines)
    await this.#file.datasync()
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

export interface Publication {
  readonly event: string
  readonly key: string
  readonly n: number
  /** Without an answer at all it is unknown. */
  readonly answer: Answer
}

export interface JournalRead {
  readonly publications: readonly Publication[]
  /** Error code → how often. */
  readonly codes: Readonly<Record<string, number>>
  /** Publishes that were never answered. */
  readonly unanswered: number
  /** Milliseconds of the slowest answer. */
  readonly slowestMs: number
}

/** All publishers together. */
export async function readJournals(paths: readonly string[]): Promise<JournalRead> {
  const intents = new Map<string, { key: string; answers: Set<string> }>()
  const codes: Record<string, number> = {}
  let slowestMs = 0
  for (const path of paths) {
    for (const line of (await readFile(path, 'utf8')).split('\n')) {
      const [word = '', event = '', rest = '', ms = '0'] = line.split(' ')
      if (word === 'intent') intents.set(event, { key: rest, answers: new Set() })
      else if (word !== '') {
        intents.get(event)?.answers.add(word)
        slowestMs = Math.max(slowestMs, Number(ms))
        if (word !== 'acked') codes[rest] = (codes[rest] ?? 0) + 1
      }
    }
  }
  const publications = [...intents].map(([event, { key, answers }]) => ({
    ...{ event, key, n: Number(event.split('-')[1]), answer: together(answers) },
  }))
  const unanswered = [...intents.values()].filter(({ answers }) => answers.size === 0).length
  return { publications, codes, unanswered, slowestMs }
}

// An event that is published again under its id has several answers.
const together = (answers: ReadonlySet<string>): Answer =>
  (['acked', 'wrong', 'unknown'] as const).find((each) => answers.has(each)) ??
  (answers.size > 0 ? 'refused' : 'unknown')
