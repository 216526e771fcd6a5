// Makes sure that the packages of this checkout are installed, whoever starts it and however often. Uses nothing but
// Node, since it runs before anything is installed.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inWords, withProgress } from './progress.mjs'

/** The folder of the checkout. */
export const root = resolve(fileURLToPath(import.meta.url), '..', '..')

const nodeMin = [20, 19]
const modules = join(root, 'node_modules')
const stamp = join(modules, '.eventspine-lock')
const lock = join(root, '.eventspine', 'install.lock')
const lockWaitMsMax = 600_000
const lockPollMs = 250
const outputCharsMax = 100_000

/** Installs what package-lock.json asks for unless that is what is installed. Ends the process with advice if it cannot. */
export async function ensureInstalled() {
  requireNode()
  if (isInstalled()) return
  try {
    await withInstallLock(async () => {
      if (!isInstalled()) await install()
    })
  } catch (error) {
    process.stderr.write(`\n${adviceFor(error)}\n`)
    process.exit(1)
  }
}

/** Ends the process with advice when this Node is too old to run the rest. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > nodeMin[0] || (major === nodeMin[0] && minor >= nodeMin[1])) return
  process.stderr.write(
    `Eventspine needs Node ${nodeMin.join('.')} or newer; this is Node ${process.versions.node}.\n` +
      'Install a newer one from https://nodejs.org (or with your version manager) and run the command again.\n',
  )
  process.exit(1)
}

function isInstalled() {
  try {
    if (fs.readFileSync(stamp, 'utf8') === wantedStamp()) return true
  } catch {
    // Not installed by us.
  }
  return isInstalledByHand()
}

// Another platform needs other binaries, so the stamp of a copied folder must not be believed.
function wantedStamp() {
  const hash = createHash('sha256')
    .update(fs.readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  return `${hash} ${process.platform} ${process.arch}\n`
}

// After a plain "npm ci" the list that npm itself keeps tells what is there.
function isInstalledByHand() {
  try {
    const wanted = readPackages(join(root, 'package-lock.json'))
    const present = readPackages(join(modules, '.package-lock.json'))
    const required = Object.entries(wanted).filter(
      ([path, entry]) => path.includes('node_modules/') && !entry.optional,
    )
    return required.every(([path, entry]) => isSame(entry, present[path]) && fs.existsSync(join(root, path)))
  } catch {
    return false
  }
}

function readPackages(path) {
  return JSON.parse(fs.readFileSync(path, 'utf8')).packages
}

function isSame(wanted, present) {
  return present !== undefined && present.version === wanted.version && present.link === wanted.link
}

async function install() {
  const beganAt = Date.now()
  const result = await withProgress('Installing packages with npm ci', installExactly)
  if (result.code !== 0) throw new Error(result.output.trim() || `npm ended with ${result.code}`)
  fs.writeFileSync(stamp, wantedStamp())
  giveToOwner(modules)
  process.stderr.write(`Packages installed in ${inWords(Date.now() - beganAt)}.\n`)
}

// A lock file written against a registry that offers the tools for some platforms only is incomplete for "npm ci",
// though every version in it is right; "npm install --no-save" takes these versions and changes no file.
async function installExactly(say) {
  const result = await runNpm(['ci'])
  if (result.code === 0 || !result.output.includes('npm ci` can only install packages when')) return result
  say('Installing packages with npm install, as the lock file lacks packages of other platforms')
  return runNpm(['install', '--no-save'])
}

function runNpm(order) {
  const parameters = [...order, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { command, first } = npmCommand()
  return new Promise((done) => {
    const child = spawn(command, [...first, ...parameters], {
      cwd: root,
      env: npmEnvironment(),
      shell: process.platform === 'win32' && first.length === 0,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    // npm outlives us when we are killed; while it lives nobody else may install.
    if (child.pid !== undefined) fs.appendFileSync(lock, `${child.pid}\n`)
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

// Under "npm start" npm tells where it lives, which need not be on the PATH.
function npmCommand() {
  const running = process.env.npm_execpath || ''
  if (running.endsWith('npm-cli.js')) return { command: process.execPath, first: [running] }
  return { command: 'npm', first: [] }
}

// An account without a home of its own (a service, a container's user) has no place for npm's cache.
function npmEnvironment() {
  const environment = { ...process.env }
  if (environment.npm_config_cache === undefined && !isWritable(homedir())) {
    environment.npm_config_cache = join(tmpdir(), `npm-cache-${userId()}`)
  }
  // Production mode would leave out what the start itself needs.
  delete environment.NODE_ENV
  return environment
}

function userId() {
  return process.getuid === undefined ? 'user' : process.getuid()
}

function isWritable(folder) {
  try {
    fs.accessSync(folder, fs.constants.W_OK)
    return true
  } catch {
    return false
  }
}

async function withInstallLock(work) {
  fs.mkdirSync(join(lock, '..'), { recursive: true })
  giveToOwner(join(lock, '..'))
  let told = false
  for (let waitedMs = 0; !takeLock(); waitedMs += lockPollMs) {
    const holders = livingHolders()
    if (holders.length === 0) fs.rmSync(lock, { force: true })
    else if (waitedMs > lockWaitMsMax)
      throw new Error(`Process ${holders[0]} has been installing for over ten minutes.`)
    else if (!told)
      process.stderr.write(`Waiting for process ${holders[0]}, which is installing the packages.\n`)
    told = told || holders.length > 0
    await new Promise((wake) => setTimeout(wake, lockPollMs))
  }
  try {
    await work()
  } finally {
    fs.rmSync(lock, { force: true })
  }
}

function takeLock() {
  try {
    fs.writeFileSync(lock, `${process.pid}\n`, { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

// An empty file is one whose writer is just about to write.
function livingHolders() {
  try {
    const age = Date.now() - fs.statSync(lock).mtimeMs
    const pids = fs.readFileSync(lock, 'utf8').split('\n').filter(Boolean).map(Number)
    return pids.length === 0 && age < 2_000 ? ['unknown'] : pids.filter(isAlive)
  } catch {
    return []
  }
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

// What root installs into the checkout of a person stays that person's to update or remove.
function giveToOwner(path) {
  if (process.getuid === undefined || process.getuid() !== 0) return
  const { uid, gid } = fs.statSync(root)
  if (uid !== 0) chownTree(path, uid, gid)
}

function chownTree(path, uid, gid) {
  fs.lchownSync(path, uid, gid)
  if (!fs.lstatSync(path).isDirectory()) return
  for (const name of fs.readdirSync(path)) chownTree(join(path, name), uid, gid)
}

const advice = [
  [
    /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|network/i,
    'Check the network connection (or the proxy and registry that npm is set up with) and run the command again.',
  ],
  [
    /EACCES|EPERM|EROFS|permission denied/i,
    `This user may not write in ${root}. Clone into a folder of your own, or give this one to your user: sudo chown -R "$(id -u)" "${root}"`,
  ],
  [/ENOSPC/, 'The disk is full. The packages need about 400 MB.'],
  [
    /npm.*ENOENT|ENOENT.*npm|not found/i,
    'Node came without npm. Install npm (it is part of the downloads of https://nodejs.org) and run the command again.',
  ],
]

function adviceFor(error) {
  const said = error instanceof Error ? error.message : String(error)
  const found = advice.find(([pattern]) => pattern.test(said))
  const next = found === undefined ? 'Delete the folder node_modules and run the command again.' : found[1]
  return `The packages could not be installed.\n\n${said}\n\n${next}`
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await ensureInstalled()
}
