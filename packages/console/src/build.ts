// Builds the console, in a process of its own: who starts it has events to deliver meanwhile.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants, setPriority } from 'node:os'
import { dirname, join } from 'node:path'
import { builtIn, home, sourcesHash } from './sources.js'

const stampFile = 'sources.sha256'
const outputCharactersMax = 4_000
const buildMsMax = 120_000

/** Whether there is a build, and of these sources. */
export function isBuilt(folder = home): boolean {
  const wanted = sourcesHash(folder)
  const stamp = join(builtIn(folder), stampFile)
  if (wanted === undefined || !existsSync(stamp)) return wanted === undefined && existsSync(builtIn(folder))
  return readFileSync(stamp, 'utf8') === wanted
}

/** Resolves when the console lies in `dist/web`. Rejects with what the build tool said. Aborting ends it. */
export async function buildConsole(folder = home, signal?: AbortSignal): Promise<void> {
  const hash = sourcesHash(folder)
  if (hash === undefined) throw new Error(`There are no sources of the console in ${folder}.`)
  // Another process may be building too: each has a folder of its own, and the last one in is as good as the first.
  const own = join(folder, 'dist', `web-${randomUUID()}`)
  try {
    await run(folder, own, signal)
    writeFileSync(join(own, stampFile), hash)
    rmSync(builtIn(folder), { recursive: true, force: true })
    renameSync(own, builtIn(folder))
  } finally {
    rmSync(own, { recursive: true, force: true })
  }
}

function run(folder: string, target: string, signal: AbortSignal | undefined): Promise<void> {
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin', 'vite.js')
  const child = spawn(process.execPath, [vite, 'build', '--logLevel', 'warn', '--outDir', target], {
    cwd: folder,
    // The environment of a test or of a debugger is not that of a build.
    env: { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: buildMsMax,
    ...(signal === undefined ? {} : { signal }),
  })
  yieldTo(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      output = (output + data.toString('utf8')).slice(-outputCharactersMax)
    })
  }
  return new Promise((resolve, reject) => {
    let failure: Error | undefined
    child.once('error', (error) => {
      failure = error
    })
    child.once('close', (code) => {
      if (code === 0 && failure === undefined) resolve()
      else reject(failure ?? new Error(output.trim() || `The build ended with ${code}.`))
    })
  })
}

// Where the system does not let it, it builds at the speed of others.
function yieldTo({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // As it is.
  }
}
