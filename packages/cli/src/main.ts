#!/usr/bin/env node
// The program `eventspine`. Ends by itself when the command is done, whatever a module of the app left running.
import module from 'node:module'
import { exitCodes } from './failure.js'

// Compiled once for all starts, where Node can (from 22.8 on). What is imported above is not.
;(module as { enableCompileCache?: () => unknown }).enableCompileCache?.()
const { run } = await import('./run.js')

// `eventspine events list | head`: whoever reads has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok)
  throw error
})

const exitCode = await run(process.argv.slice(2))
process.stdout.write('', () => process.exit(exitCode))
