// `npm run bench`: installs what is missing (the repository's packages, and the peers of this folder), then measures.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureInstalled, root } from '../scripts/install.mjs'
import { stopWhenOrphaned } from '../scripts/orphan.mjs'
import { inWords, withProgress } from '../scripts/progress.mjs'

const folder = join(root, 'bench')
const stamp = join(folder, 'node_modules', '.bench-lock')
const outputCharsMax = 20_000

stopWhenOrphaned()
await ensureInstalled()
await ensurePeers()
await build()
const { runFromSource } = await import('../scripts/source.mjs')
await runFromSource('bench/main.ts', process.argv.slice(2))

async function ensurePeers() {
  if (installed() === wanted()) return
  const beganAt = Date.now()
  const { code, output } = await withProgress('Installing the peers to measure beside (in bench/)', install)
  if (code !== 0) {
    process.stderr.write(`The peers could not be installed in bench/.\n\n${output.trim()}\n\n`)
    process.stderr.write(
      'Check the network connection, delete bench/node_modules, and run the command again.\n',
    )
    process.exit(1)
  }
  writeFileSync(stamp, wanted())
  process.stderr.write(`Peers installed in ${inWords(Date.now() - beganAt)}.\n`)
}

// What is measured is what a user installs: compiled. Loaded from source, each closure costs a defineProperty more.
async function build() {
  const { code, output } = await withProgress('Compiling the packages as they are published', () =>
    run(process.execPath, [join(root, 'scripts/build.mjs'), 'eventspine', 'embedded', 'server', 'cli'], root),
  )
  if (code === 0) return
  process.stderr.write(`The packages do not compile.\n\n${output.trim()}\n`)
  process.exit(1)
}

function installed() {
  try {
    return readFileSync(stamp, 'utf8')
  } catch {
    return undefined
  }
}

// Another platform needs another Node program, so the stamp of a copied folder must not be believed.
function wanted() {
  const hash = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex')
  return `${hash} ${process.platform} ${process.arch}\n`
}

// As scripts/install.mjs: a lock file written against a registry that offers some platforms only is incomplete for
// "npm ci", though every version in it is right; "npm install --no-save" takes these and changes no file.
async function install() {
  const result = await runNpm(['ci'])
  if (result.code === 0 || !result.output.includes('npm ci` can only install packages when')) return result
  return runNpm(['install', '--no-save'])
}

function runNpm(order) {
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js')
    ? { command: process.execPath, first: [process.env.npm_execpath] }
    : { command: 'npm', first: [] }
  const parameters = [
    ...order,
    '--workspaces=false',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]
  return run(npm.command, [...npm.first, ...parameters], folder, npm.first.length === 0)
}

function run(command, parameters, cwd, isScript = false) {
  return new Promise((done) => {
    const child = spawn(command, parameters, {
      cwd,
      shell: process.platform === 'win32' && isScript,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data) => {
        output = (output + data).slice(-outputCharsMax)
      })
    }
    child.once('error', (error) => done({ code: 1, output: error.message }))
    child.once('close', (code) => done({ code, output }))
  })
}
