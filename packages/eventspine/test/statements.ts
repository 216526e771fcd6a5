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

interface Plan {
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Plan[]
}

/** Rows of tables whose name begins so that a statement met, by what `EXPLAIN (ANALYZE, FORMAT JSON)` answered: parsed, or as text. */
export function rowsMet(rows: readonly Readonly<Record<string, unknown>>[], table = ''): number {
  const answer = rows[0]?.['QUERY PLAN'] ?? '[]'
  const [{ Plan: whole }] = (typeof answer === 'string' ? JSON.parse(answer) : answer) as [
    { readonly Plan: Plan },
  ]
  const met = (plan: Plan): number => {
    const here = (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops']
    const below = (plan.Plans ?? []).reduce((sum, each) => sum + met(each), 0)
    return (plan['Relation Name']?.startsWith(table) === true ? here : 0) + below
  }
  return met(whole)
}
