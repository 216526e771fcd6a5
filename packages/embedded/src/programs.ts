// Runs one program of PostgreSQL to its end: initdb, the single-user server, a question for the version.
import { spawn } from 'node:child_process'
import { type Account, commandFor } from './account.js'

const outputCharsMax = 20_000
const runMsMax = 120_000

/** What a program left: its exit code (null when a signal ended it or it never began) and all that it said. */
export type ProgramResult = { readonly code: number | null; readonly output: string }

/** Runs a program under the account, with this text as its input, and waits for its end (two minutes at most). */
export function runProgram(
  account: Account,
  program: string,
  parameters: readonly string[],
  surroundings: { readonly directory: string; readonly input?: string },
): Promise<ProgramResult> {
  const command = commandFor(account, program, parameters)
  return new Promise((resolve) => {
    let output = ''
    const keep = (chunk: Buffer | string) => {
      output = (output + String(chunk)).slice(-outputCharsMax)
    }
    // In a session of its own: Ctrl-C in the terminal is for the program that a person started, which may want
    // to finish what it began.
    const child = spawn(command.command, command.parameters, {
      ...command.options,
      cwd: surroundings.directory,
      detached: true,
      stdio: 'pipe',
      timeout: runMsMax,
    })
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.stdin.on('error', () => {})
    child.stdin.end(surroundings.input ?? '')
    child.once('error', (error) => resolve({ code: null, output: output + error.message }))
    child.once('close', (code) => resolve({ code, output }))
  })
}
