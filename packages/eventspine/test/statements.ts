// What the store asks of PostgreSQL while something is done, for tests that look at plans.
import pg from 'pg'
import { vi } from 'vitest'

export interface Statement {
  readonly name: string
  readonly text: string
  readonly values: readonly unknown[]
}

/** Of the comment that leads it: behind a pooler a statement has no other name. */
export const nameOf = (text: string | undefined) => /^\/\* (\S+) \*\//.exec(text ?? '')?.[1]

/** The statements that `ask` makes with this word in them. */
export async function statementsWith(word: string, ask: () => Promise<unknown>): Promise<Statement[]> {
  const statements: Statement[] = []
  const { query } = pg.Client.prototype
  vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...given: unknown[]) {
    const { text = '', values = [] } = (given[0] ?? {}) as Partial<Statement>
    if (text.includes(word)) statements.push({ name: nameOf(text) ?? '', text, values })
    return Reflect.apply(query, this, given)
  })
  await ask()
  vi.restoreAllMocks()
  return statements
}
