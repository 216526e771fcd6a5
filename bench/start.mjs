// `npm run bench`: installs what is missing (the repository's packages, and the peers of this folder), then measures.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureInstalled, isAlive, root } from '../scripts/install.mjs'
import { stopWhenOrphaned } from '../scripts/orphan.mjs'
import { inWords, withProgress } from '../scripts/progress.mjs'

const folder = join(root, 'bench')
const stamp = join(folder, 'node_modules', '.bench-lock')
const running = join(folder, 'node_modules', '.bench-running')
const outputCharsMax = 20_000

const given = process.argv.slice(2)
const measures = !given.includes('--list') && !given.includes('--help')

stopWhenOrphaned()
if (measures) refuseSecond()
await ensureInstalled()
if (measures) {
  await ensurePeers()
  await build()
}
const { runFromSource } = await import('../scripts/source.mjs')
await runFromSource('bench/main.ts', given)

// Two at once measure each other, and the second compiles what the first one runs.
function refuseSecond() {
  const other = Number(read(running))
  if (other > 0 && other !== process.pid && isAlive(other)) {
    process.stderr.write(`Another bench is running here (process ${other}). Wait for its end, or stop it.\n`)
    process.exit(1)
  }
  try {
    mkdirSync(join(folder, 'node_modules'), { recursive: true })
    writeFileSync(running, String(process.pid))
  } catch (error) {
    process.stderr.write(
      `The bench writes into bench/node_modules, and may not (${error.code}). Run it as whom the folder belongs to.\n`,
    )
    process.exit(1)
  }
  process.once('exit', () => rmSync(running, { force: true }))
}

async function ensurePeers() {
  if (read(stamp) === wanted()) return
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
    run(process.execPath, [join(root, 'scripts/build.mjs'), 'mqtt', 'cli'], root),
  )
  if (code === 0) return
  process.stderr.write(`The packages do not compile.\n\n${output.trim()}\n`)
  process.exit(1)
}

function read(file) {
  try {
    return readFileSync(file, 'utf8')
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
