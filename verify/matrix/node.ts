// Other versions of Node, as npm packages that hold the real program.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { command } from './command.js'
import { matrixFolder } from './folder.js'

/** The program of exactly this version; installed when missing. */
export async function installedNode(version: string, say: (line: string) => void): Promise<string> {
  const folder = matrixFolder(`node-${version}`)
  const name = `node-${process.platform}-${process.arch}`
  const program = join(
    folder,
    'node_modules',
    name,
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  )
  if (existsSync(program)) return program
  say(`Installing Node ${version}`)
  const parameters = [
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--prefix',
    folder,
  ]
  await command('npm', [...parameters, `${name}@${version}`], folder)
  return program
}
