// Compiles the packages to dist/ (JavaScript and types, no tests), packs them as npm would publish them, and imports
// each from an empty project by plain Node. With arguments: only the packages in these folders, and those that they need.
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureInstalled, root } from './install.mjs'

const packagesFolder = join(root, 'packages')
const isTest = (path) => /\.(test|fixture)\.ts$|(^|[\\/])(test|conformance)[\\/]/.test(path)

await ensureInstalled()
const named = process.argv.slice(2)
const packages = inOrder(readPackages())
const scratch = fs.mkdtempSync(join(tmpdir(), 'eventspine-build-'))
try {
  for (const one of packages) build(one)
  tryPacked()
} finally {
  fs.rmSync(scratch, { recursive: true, force: true })
}

function readPackages() {
  return fs
    .readdirSync(packagesFolder)
    .map((name) => join(packagesFolder, name))
    .filter((folder) => sources(folder).some((path) => path.endsWith('.ts')))
    .map((folder) => ({
      folder,
      manifest: JSON.parse(fs.readFileSync(join(folder, 'package.json'), 'utf8')),
    }))
}

// A package is compiled against the finished types of those it needs.
function inOrder(found) {
  const ordered = []
  const visit = (one) => {
    if (ordered.includes(one)) return
    for (const other of found)
      if (one.manifest.dependencies?.[other.manifest.name] !== undefined) visit(other)
    ordered.push(one)
  }
  for (const one of found) if (named.length === 0 || named.includes(basename(one.folder))) visit(one)
  return ordered
}

function build({ folder, manifest }) {
  fs.rmSync(join(folder, 'dist'), { recursive: true, force: true })
  const config = join(scratch, 'tsconfig.json')
  fs.writeFileSync(config, JSON.stringify(configFor(folder)))
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config], folder)
  for (const path of sources(folder)) {
    if (!path.endsWith('.ts')) fs.cpSync(join(folder, 'src', path), join(folder, 'dist', path))
  }
  if (fs.existsSync(join(folder, 'web'))) buildPages(folder)
  console.log(`built   ${manifest.name}`)
}

// A package with pages for the browser builds them by what it has just been compiled to.
function buildPages(folder) {
  const builder = JSON.stringify(pathToFileURL(join(folder, 'dist/build.js')))
  run(process.execPath, ['--input-type=module', '--eval', `await (await import(${builder})).buildConsole()`])
}

function configFor(folder) {
  return {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      sourceMap: true,
      inlineSources: true,
      customConditions: [],
      rootDir: join(folder, 'src'),
      outDir: join(folder, 'dist'),
      typeRoots: [join(root, 'node_modules/@types')],
    },
    files: sources(folder)
      .filter((path) => path.endsWith('.ts'))
      .map((path) => join(folder, 'src', path)),
    include: [],
  }
}

function sources(folder) {
  const source = join(folder, 'src')
  if (!fs.existsSync(source)) return []
  return fs
    .readdirSync(source, { recursive: true })
    .filter((path) => !isTest(path) && fs.statSync(join(source, path)).isFile())
}

function tryPacked() {
  const project = join(scratch, 'project')
  fs.mkdirSync(project)
  fs.writeFileSync(join(project, 'package.json'), '{ "type": "module", "private": true }')
  for (const one of packages) unpackInto(project, one)
  for (const one of packages) linkDependencies(project, one)
  for (const { manifest } of packages) {
    for (const entry of Object.keys(manifest.exports)) {
      const name = manifest.name + entry.slice(1)
      run(process.execPath, ['--input-type=module', '--eval', `await import('${name}')`], project)
      console.log(`imports ${name}`)
    }
  }
}

function unpackInto(project, { folder, manifest }) {
  const said = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', scratch], folder)
  const { filename } = JSON.parse(said)[0]
  const target = join(project, 'node_modules', manifest.name)
  fs.mkdirSync(target, { recursive: true })
  run('tar', [
    '-xzf',
    join(scratch, filename.replace('@', '').replace('/', '-')),
    '-C',
    target,
    '--strip-components=1',
  ])
}

// Only what the manifest names is there, so a dependency that was forgotten fails here and not at a user's.
function linkDependencies(project, { manifest }) {
  const wanted = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies }
  for (const name of Object.keys(wanted)) {
    const source = join(root, 'node_modules', name)
    const target = join(project, 'node_modules', name)
    if (fs.existsSync(target) || !fs.existsSync(source)) continue
    fs.mkdirSync(dirname(target), { recursive: true })
    fs.symlinkSync(fs.realpathSync(source), target, 'junction')
  }
}

function run(command, parameters, folder = root) {
  const result = spawnSync(command, parameters, {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (result.status === 0) return result.stdout
  console.error(
    `${command} ${parameters.join(' ')} (in ${folder}) failed:\n${result.error ?? ''}${result.stdout}${result.stderr}`,
  )
  fs.rmSync(scratch, { recursive: true, force: true })
  process.exit(1)
}
