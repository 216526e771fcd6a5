// Judges one checkout: the imports by dependency-cruiser, the rest file by file.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { cruise } from 'dependency-cruiser'
import { house, importOptions, importRules, verificationDoor } from '../../.dependency-cruiser.mjs'
import { fileRules, migrationFaults } from './file.mjs'

const places = ['packages', 'apps', 'bench', 'verify', 'test', 'scripts']
const passedOver = new Set(['node_modules', 'dist', 'data'])
const program = /\.(ts|tsx|mjs)$/
const importing = /^(packages|apps|bench|verify|test)\/.*\.(ts|tsx)$/

/**
 * Fewer means that the tool looked in the wrong place or cannot read TypeScript: dependency-cruiser finds no violation
 * in zero modules when it does not know the version of the compiler.
 */
const seenMin = { modules: 250, imports: 900 }

/** Everything that is wrong under `root`, with how much was looked at. */
export async function check(root, { modules: modulesMin, imports: importsMin } = seenMin) {
  const files = places.flatMap((place) => filesUnder(root, place)).sort()
  const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
  const imports = await importFaults(root, texts)
  const faults = [
    ...imports.faults,
    ...files.filter((file) => program.test(file)).flatMap((file) => faultsOf(file, texts.get(file))),
    ...migrationFaults(files, texts),
    ...strangeFolders(files),
  ]
  if (imports.modules < modulesMin || imports.count < importsMin) {
    const message = `Only ${imports.modules} modules with ${imports.count} imports were read, at least ${modulesMin} with ${importsMin} are here. Is the installed typescript one that dependency-cruiser reads?`
    faults.push({ file: '.', line: 1, rule: 'seen', message })
  }
  return {
    modules: imports.modules,
    imports: imports.count,
    rules: imports.rules + fileRules.length + 3,
    faults: faults.sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line),
  }
}

function faultsOf(file, text) {
  return fileRules.flatMap((rule) =>
    rule.judge(file, text).map(({ line, message }) => ({ file, line, message, rule: rule.name })),
  )
}

function filesUnder(root, place) {
  const folder = join(root, place)
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (passedOver.has(entry.name)) return []
    const path = join(folder, entry.name)
    const file = relative(root, path).split(sep).join('/')
    return entry.isDirectory() ? filesUnder(root, file) : entry.isFile() ? [file] : []
  })
}

async function importFaults(root, texts) {
  const wanted = [...texts.keys()].filter((file) => importing.test(file))
  const rules = importRules(root)
  if (wanted.length === 0) return { modules: 0, count: 0, rules: rules.length, faults: [] }
  const { output } = await cruise(wanted, {
    ...importOptions,
    baseDir: root,
    validate: true,
    ruleSet: { forbidden: rules },
  })
  const seen = new Map(output.modules.map((module) => [module.source, module]))
  const unseen = wanted
    .filter((file) => !seen.has(file))
    .map((file) => ({ file, line: 1, rule: 'seen', message: 'dependency-cruiser did not read this file.' }))
  const broken = output.summary.violations.map((violation) => faultOf(violation, seen, texts, rules))
  return {
    modules: wanted.length - unseen.length,
    count: output.summary.totalDependenciesCruised,
    rules: rules.length,
    faults: [...unseen, ...broken, ...pathsAcross(output.modules, texts)],
  }
}

// A package's name may lead to the same file as a path into it; dependency-cruiser does not tell them apart.
function pathsAcross(modules, texts) {
  const home = (file) => /^((packages|apps)\/[^/]+|[^/]+)\//.exec(file)?.[1]
  const door = new RegExp(verificationDoor)
  const judged = modules.filter(({ source }) => !door.test(source))
  // Tests of all packages may share what lies in test/, which is no package.
  const isShared = (source, resolved) => /\/test\//.test(source) && home(resolved) === 'test'
  return judged.flatMap(({ source, dependencies }) =>
    dependencies
      .filter(({ module }) => module.startsWith('.'))
      .filter(({ couldNotResolve, resolved }) => !couldNotResolve && home(source) !== home(resolved))
      .filter(({ resolved }) => !isShared(source, resolved))
      .map(({ module }) => ({
        file: source,
        line: lineOf(`'${module}'`, texts.get(source)),
        rule: 'by-name',
        message: `imports ${module}. Write the name of the package, not a path into it.`,
      })),
  )
}

function lineOf(part, text = '') {
  const at = text.indexOf(part)
  return at < 0 ? 1 : text.slice(0, at).split('\n').length
}

function faultOf({ from, to, rule, cycle }, seen, texts, rules) {
  const dependency = seen.get(from)?.dependencies.find(({ resolved }) => resolved === to)
  const way = cycle === undefined ? to : [from, ...cycle.map(({ name }) => name)].join(' → ')
  return {
    file: from,
    line: lineOf(`'${dependency?.module}'`, texts.get(from)),
    rule: rule.name,
    message: `imports ${way}. ${rules.find(({ name }) => name === rule.name)?.comment}`,
  }
}

// A new folder of the library needs its line in the table, or no rule would know it.
function strangeFolders(files) {
  const known = new Set(house.map(({ folder }) => folder))
  return files.flatMap((file) => {
    const folder = /^packages\/eventspine\/src\/([^/]+)\//.exec(file)?.[1]
    if (folder === undefined || known.has(folder)) return []
    const message = `The folder ${folder}/ has no line in the table of .dependency-cruiser.mjs.`
    return [{ file, line: 1, rule: 'known-folder', message }]
  })
}
