// One PostgreSQL for a whole test run: the server of TEST_DATABASE_URL, else a temporary one that is gone afterwards.
// Tests get its address by `inject('postgresUrl')` or from EVENTSPINE_TEST_DATABASE_URL, and make schemas of their own. Where a pooler
// stands before it, EVENTSPINE_TEST_DIRECT_DATABASE_URL leads past it, for sessions that must be one's own.
import { startTemporaryPostgres } from '@eventspine/embedded'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** A superuser's address on the PostgreSQL server of this test run. */
    postgresUrl: string
  }
}

/** Called by vitest once before all tests; what it returns is called once after them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TEST_DATABASE_URL
  if (given !== undefined && given !== '') {
    provide(project, given)
    return async () => {}
  }
  const postgres = await startTemporaryPostgres()
  provide(project, postgres.url)
  return () => postgres.stop()
}

function provide(project: TestProject, url: string): void {
  project.provide('postgresUrl', url)
  process.env.EVENTSPINE_TEST_DATABASE_URL = url
  process.env.EVENTSPINE_TEST_DIRECT_DATABASE_URL = process.env.TEST_DIRECT_DATABASE_URL ?? url
}
