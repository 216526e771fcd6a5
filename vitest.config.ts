// How the tests run: from source (no build), at most two files at once, one PostgreSQL for the whole run.
import { defineConfig } from 'vitest/config'

// What vitest would use by itself, plus `source`, which leads a package's name to its TypeScript.
const conditions = ['source', 'node', 'development|production']

// `EVENTSPINE_MUTANT=naive-cursor npx vitest run FILE`: the tests of a file with that bug in the product.
const mutant = process.env.EVENTSPINE_MUTANT
const plugins = mutant ? [(await import('./verify/mutants/planter.js')).planterOf(mutant)] : []

// The programmes of verify/ run behind the tests and one after another, since each takes the whole machine: `npm test`
// does both, `npm test -- --verify` only these.
const verifies = process.env.EVENTSPINE_VERIFY === 'true'
const tests = [
  'packages/*/**/*.test.ts',
  'apps/*/**/*.test.ts',
  'verify/**/*.test.ts',
  'test/**/*.test.ts',
  '*.test.ts',
]

export default defineConfig({
  plugins,
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['source', 'node'] } },
  // The environment in which vitest loads its global setup.
  environments: { __vitest__: { resolve: { conditions } } },
  test: {
    include: verifies ? ['verify/**/*.e2e.test.ts'] : tests,
    exclude: ['**/node_modules/**', '**/dist/**', ...(verifies ? [] : ['verify/**/*.e2e.test.ts'])],
    globalSetup: ['./test/postgres.ts'],
    setupFiles: ['./test/leftovers.ts'],
    pool: 'forks',
    maxWorkers: verifies ? 1 : 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A test that passes at the second try hides a fault.
    retry: 0,
    passWithNoTests: false,
  },
})
