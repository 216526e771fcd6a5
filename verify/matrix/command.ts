// Runs one command to its end, in silence unless it fails.
import { spawn } from 'node:child_process'
import { Missing } from './missing.js'

const outputCharactersMax = 4_000

/** Throws `Missing` with what the command said. */
export function command(program: string, parameters: readonly string[], folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, parameters, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => {
        said = (said + text).slice(-outputCharactersMax)
      })
    child.once('error', (error) => reject(new Missing(`${program} cannot be run: ${error.message}`)))
    child.once('close', (code) => {
      if (code === 0) resolve()
      else reject(new Missing(`${program} ${parameters[0]} failed:\n${said}`))
    })
  })
}
