// The directions of the house as rules over imports, derived from one table. `node scripts/rules.mjs` runs them, and
// first proves on samples that each one catches something; `npx depcruise packages` shows the same faults.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const source = 'packages/eventspine/src'

/** The way of an event. A stage knows the words of all and calls none: only `runtime/` calls one after another. */
export const flow = ['event', 'append', 'deliver', 'handle', 'settle', 'redrive']

const ground = ['kernel', 'observe', 'event']
const outside = ['store', 'runtime', 'testing']

/**
 * Each folder of the library, what it may call, and what it may not even see the types of. `door`: others enter it by
 * an index.ts. A folder that is not here is a fault.
 */
export const house = [
  { folder: 'kernel', calls: [], hidden: ['*'], door: true },
  { folder: 'observe', calls: ['kernel'], hidden: ['*'] },
  ...flow.map((folder) => ({ folder, calls: ground, hidden: outside, door: true })),
  { folder: 'access', calls: ground, hidden: outside, door: true },
  { folder: 'claim', calls: ground, hidden: outside, door: true },
  { folder: 'contract', calls: ground, hidden: outside, door: true },
  { folder: 'inspect', calls: ground, hidden: outside, door: true },
  { folder: 'personal', calls: ground, hidden: outside, door: true },
  { folder: 'tenant', calls: ground, hidden: outside, door: true },
  { folder: 'source', calls: [...ground, ...flow], hidden: outside, door: true },
  { folder: 'webhook', calls: [...ground, ...flow, 'source'], hidden: outside, door: true },
  { folder: 'schedule', calls: [...ground, ...flow], hidden: outside, door: true },
  { folder: 'workflow', calls: [...ground, ...flow], hidden: outside, door: true },
  { folder: 'store', calls: ['kernel', 'observe', 'claim'], hidden: ['runtime', 'testing'] },
  { folder: 'runtime', calls: ['*'], hidden: ['testing'] },
  { folder: 'testing', calls: ['*'], hidden: [], door: true },
]

/** Definitions that a store shares with the stages. They call nothing, so they may be imported without the index.ts. */
const words = ['[^/]+/port\\.ts', 'event/stored\\.ts', 'event/pattern\\.ts']
/** What the one folder that owns virtual time is asked for by others, outside of the index that production reads. */
const ownDoors = ['kernel/virtual-clock\\.ts']

const test = '(\\.(test|fixture)\\.ts$|(^|/)test/|/store/conformance/)'
const anywhere = { path: `^${source}/` }
const inside = (folders) =>
  folders.includes('*') ? `^${source}/` : `^${source}/(${folders.join('|') || '-'})/`
const wordFiles = `^${source}/(${words.join('|')})$`
const doorFiles = `^${source}/(.+/index\\.ts|${[...words, ...ownDoors].join('|')})$`
const value = { dependencyTypesNot: ['type-only'] }

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to })

function stageRules() {
  return flow
    .slice(0, -1)
    .map((stage, index) =>
      rule(
        `${stage}-calls-no-later-stage`,
        'A stage never calls downstream. Use `import type`, or let runtime/ hand the function over.',
        { path: inside([stage]), pathNot: test },
        { path: inside(flow.slice(index + 1)), ...value },
      ),
    )
}

function callRules() {
  return house
    .filter(({ calls }) => !calls.includes('*'))
    .map(({ folder, calls }) => {
      const later = flow.includes(folder) ? flow.slice(flow.indexOf(folder) + 1) : []
      return rule(
        `${folder}-calls`,
        `${folder}/ may call ${calls.filter((other) => other !== folder).join(', ') || 'nothing'}; stages meet in runtime/ alone.`,
        { path: inside([folder]), pathNot: test },
        { ...anywhere, pathNot: [inside([folder, ...calls]), inside(later), wordFiles], ...value },
      )
    })
}

function sightRules() {
  return house
    .filter(({ hidden }) => hidden.length > 0)
    .map(({ folder, calls, hidden }) =>
      rule(
        `${folder}-sees`,
        hidden.includes('*')
          ? `${folder}/ lies below all and knows nothing above it, not even types.`
          : `${folder}/ does not know ${hidden.join(', ')}, not even their types: it is handed what it needs.`,
        { path: inside([folder]), pathNot: test },
        { path: inside(hidden), pathNot: inside([folder, ...calls.filter((other) => other !== '*')]) },
      ),
    )
}

function doorRules() {
  const doors = house.filter(({ door }) => door).map(({ folder }) => folder)
  const comment =
    'A folder is entered by its index.ts, which names what it gives. Types may come from anywhere.'
  const to = { path: inside(doors), pathNot: doorFiles, ...value }
  const foreign = { ...to, pathNot: [doorFiles, `^${source}/$1/`] }
  return [
    rule('by-the-door', comment, { path: `^${source}/([^/]+)/`, pathNot: test }, foreign),
    rule('entry-by-the-door', comment, { path: `^${source}/[^/]+\\.ts$` }, to),
  ]
}

function storeRules() {
  return [
    rule(
      'stores-apart',
      'One store never imports another. What they share belongs to store/store.ts.',
      { path: `^${source}/store/([^/]+)/`, pathNot: test },
      { path: `^${source}/store/`, pathNot: [`^${source}/store/$1/`, `^${source}/store/[^/]+\\.ts$`] },
    ),
    rule(
      'store-by-runtime',
      'Only runtime/ and testing/ choose a store; all else is handed one.',
      { path: `^${source}/`, pathNot: [test, inside(['store', 'runtime', 'testing'])] },
      { path: inside(['store']), ...value },
    ),
    rule(
      'driver-in-one-folder',
      'The Postgres driver is imported in store/postgres/ alone.',
      { path: `^${source}/`, pathNot: [test, `^${source}/store/postgres/`] },
      { path: '(^|/)node_modules/(@types/)?(pg|pg-[^/]+|postgres)/' },
    ),
  ]
}

function hygieneRules() {
  const production = { path: '^(packages|apps|bench)/', pathNot: [test, '\\.mjs$'] }
  return [
    rule(
      'no-cycle',
      'Two files that call one another cannot be read alone. Move what both need into a third.',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    rule('no-test-in-production', 'Production does not import tests or their helpers.', production, {
      path: [test, '(^|/)node_modules/(vitest|fast-check|@vitest)/'],
    }),
    rule(
      'named-dependency',
      'Name the package in `dependencies` of the package.json next to it: users install only those.',
      { ...production, path: '^(packages|apps)/[^/]+/src/' },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: '/@types/' },
    ),
    rule(
      'resolved',
      'The import leads nowhere: no such file, or not an entry of that package.',
      {},
      // The peers of bench/ are installed only where somebody measures.
      {
        couldNotResolve: true,
        pathNot: '^(graphile-worker|pg-boss|@dbos-inc/dbos-sdk|@restatedev/.+)$',
      },
    ),
  ]
}

/** Verification plants faults at the ports and reads the tables: each part of verify/ has one file for what no user may
 *  touch, so that it can be read in one place what it stands on. */
export const verificationDoor = '^verify/[^/]+/engine\\.ts$'

// Others see a package as its users do: by name, and only what its package.json opens.
function borderRules(root) {
  const folder = join(root, 'packages')
  const entries = (existsSync(folder) ? readdirSync(folder) : []).flatMap((name) => entriesOf(folder, name))
  const strangers = { path: '^((?:packages|apps)/[^/]+|bench|verify|test)/', pathNot: verificationDoor }
  return [
    rule(
      'published-entries',
      'Use an entry that the package publishes (exports in its package.json), as a user does.',
      strangers,
      {
        path: '^packages/',
        pathNot: ['^$1/', ...entries.map((entry) => `^${entry.replaceAll('.', '\\.')}$`)],
      },
    ),
  ]
}

function entriesOf(folder, name) {
  const manifest = join(folder, name, 'package.json')
  if (!existsSync(manifest)) return []
  const { exports = {} } = JSON.parse(readFileSync(manifest, 'utf8'))
  const opened = typeof exports === 'string' ? [exports] : Object.values(exports)
  return opened.map((entry) => `packages/${name}/${(entry.source ?? entry).replace(/^\.\//, '')}`)
}

/** The rules for the checkout at `root`. */
export const importRules = (root) => [
  ...stageRules(),
  ...callRules(),
  ...sightRules(),
  ...doorRules(),
  ...storeRules(),
  ...hygieneRules(),
  ...borderRules(root),
]

export const importOptions = {
  // Without this, type-only imports are not seen at all.
  tsPreCompilationDeps: true,
  doNotFollow: { path: 'node_modules' },
  exclude: { path: '(^|/)(dist|data)/' },
  enhancedResolveOptions: {
    conditionNames: ['source', 'import', 'node', 'default'],
    exportsFields: ['exports'],
    extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'],
  },
}

export default { forbidden: importRules(import.meta.dirname), options: importOptions }
