#!/usr/bin/env node
// `npm run eventspine -- …`: the command line of this checkout, installed first where that is missing.
import { ensureInstalled } from './install.mjs'
import { stopWhenOrphaned } from './orphan.mjs'

stopWhenOrphaned()
await ensureInstalled()
const { runFromSource } = await import('./source.mjs')
await runFromSource('packages/cli/src/main.ts', process.argv.slice(2))
