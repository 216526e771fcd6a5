#!/usr/bin/env node
// The program `eventspine`. Ends by itself when the command is done, whatever a module of the app left running.
import { exitCodes } from './failure.js'
import { run } from './run.js'

// `eventspine events list | head`: whoever reads has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok)
  throw error
})

const exitCode = await run(process.argv.slice(2))
process.stdout.write('', () => process.exit(exitCode))
