// For programs that bring the command with them.
export { type ExitCode, exitCodes } from './failure.js'
export { run } from './run.js'
