// The programmes of verify/ at the size that every test run has: one after another, since each takes the whole machine.
import { fileURLToPath } from 'node:url'
import type { ViteUserConfig } from 'vitest/config'
import tests from '../vitest.config.js'

const config: ViteUserConfig = {
  ...tests,
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: { ...tests.test, include: ['verify/*/*.e2e.test.ts'], exclude: [], maxWorkers: 1 },
}

export default config
