// Proof that the rules judge: a small house in a scratch folder in which each rule is broken once or more, beside
// neighbours that come close and are right. The faults found must be exactly those that were planted.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { importRules } from '../../.dependency-cruiser.mjs'
import { check } from './check.mjs'
import { fileRules } from './file.mjs'

const manifest = (name, dependencies = {}) =>
  JSON.stringify({
    name,
    version: '1.0.0',
    type: 'module',
    exports: { '.': { source: './src/index.ts', default: './dist/index.js' } },
    dependencies,
  })
const lines = (count, line = 'void 0') => `${`${line}\n`.repeat(count)}`
const named = 'export const one = 1\nexport type One = 1\n'

// Right in every respect.
const sound = {
  'packages/eventspine/package.json': manifest('eventspine', { pg: '1.0.0' }),
  'packages/server/package.json': manifest('@eventspine/server', { eventspine: '1.0.0' }),
  'node_modules/pg/package.json': '{ "name": "pg", "version": "1.0.0", "main": "index.js" }',
  'node_modules/pg/index.js': 'export default 1\n',
  'node_modules/vitest/package.json': '{ "name": "vitest", "version": "1.0.0", "main": "index.js" }',
  'node_modules/vitest/index.js': 'export const test = 1\n',
  'packages/server/src/index.ts': "import { one } from 'eventspine'\nvoid one\n",
  'packages/eventspine/migrations/0001_first.sql': '-- additive: the first tables\n',
  'test/shared.ts': named,
  'packages/server/test/shares.ts': "import { one } from '../../../test/shared.js'\nvoid one\n",
  'core/index.ts': named,
  'verify/proof/engine.ts': "export { one } from '../../packages/eventspine/src/deliver/inner.js'\n",
  'core/kernel/index.ts': named,
  'core/kernel/clock.ts': 'export const now = () => Date.now()\n',
  'core/kernel/virtual-clock.ts': named,
  'core/observe/log.ts': named,
  ...Object.fromEntries(
    [
      'event',
      'append',
      'deliver',
      'handle',
      'settle',
      'redrive',
      'access',
      'claim',
      'inspect',
      'contract',
      'personal',
      'runtime',
      'testing',
    ].flatMap((folder) =>
      [`core/${folder}/index.ts`, `core/${folder}/inner.ts`, `core/${folder}/port.ts`].map((file) => [
        file,
        named,
      ]),
    ),
  ),
  'core/event/stored.ts': named,
  'core/store/store.ts': "import type { One } from '../deliver/port.js'\nexport type Two = One\n",
  'core/store/memory/tables.ts':
    "import { one } from '../../deliver/port.js'\nimport { one as two } from '../../event/stored.js'\nvoid one\nvoid two\n",
  'core/store/postgres/inner.ts':
    "import pg from 'pg'\nimport type { Two } from '../store.js'\nexport type Three = Two\nvoid pg\n",
  'core/deliver/sees-types.ts':
    "import type { One } from '../settle/inner.js'\nimport { one } from '../event/index.js'\nexport type Two = One\nvoid one\n",
  'core/settle/reads-words.ts': "import { one } from '../deliver/port.js'\nvoid one\n",
  'core/runtime/composes.ts':
    "import { one } from '../deliver/index.js'\nimport '../store/postgres/inner.js'\nvoid one\n",
  'core/testing/virtual.ts': "import { one } from '../kernel/virtual-clock.js'\nvoid one\n",
  'core/append/type-circle-a.ts': "import type { B } from './type-circle-b.js'\nexport type A = B\n",
  'core/append/type-circle-b.ts': "import type { A } from './type-circle-a.js'\nexport type B = A | 1\n",
  // The other half of the planted cycle, which is reported once.
  'core/append/circle-b.ts': "import { a } from './circle-a.js'\nexport const b = () => a\n",
  'core/append/words.ts':
    "// Date.now and process.env in a comment, and 'setTimeout' in a text\nexport const text = 'Math.random()'\nexport const at = new Date(0)\n",
  'core/append/whole.test.ts': `import { test } from 'vitest'\nimport { one } from '../handle/inner.js'\nvoid one\nvoid Date.now()\nvoid test\ndescribe('group', () => {\n${lines(100)}})\n`,
  'core/store/postgres/named.ts':
    "const statement = `/* deliver.tick */ SELECT 1`\nexport const go = (c, run, name, shape) => [c.query('BEGIN'), c.query(statement), c.query('read', 'deliver.tick', 'SELECT 1'), run(name, text), c.query(`list.${shape}`, text), c.query(d.statement(name))]\n",
}

// [rule, file, text]: the only fault of that file.
const broken = [
  ...['event', 'append', 'deliver', 'handle', 'settle'].map((stage) => [
    `${stage}-calls-no-later-stage`,
    `core/${stage}/looks-down.ts`,
    "import { one } from '../redrive/index.js'\nvoid one\n",
  ]),
  [
    'deliver-calls-no-later-stage',
    'core/deliver/even-a-port.ts',
    "import { one } from '../settle/port.js'\nvoid one\n",
  ],
  ...[
    'append',
    'deliver',
    'handle',
    'settle',
    'redrive',
    'access',
    'claim',
    'inspect',
    'contract',
    'personal',
    'tenant',
    'source',
    'webhook',
    'schedule',
    'workflow',
  ].map((folder) => [
    `${folder}-calls`,
    `core/${folder}/calls-claim.ts`,
    `import { one } from '../${folder === 'claim' ? 'inspect' : 'claim'}/index.js'\nvoid one\n`,
  ]),
  ['event-calls', 'core/event/calls-inspect.ts', "import { one } from '../inspect/index.js'\nvoid one\n"],
  ['settle-calls', 'core/settle/calls-back.ts', "import { one } from '../deliver/index.js'\nvoid one\n"],
  [
    'store-calls',
    'core/store/memory/calls-stage.ts',
    "import { one } from '../../deliver/index.js'\nvoid one\n",
  ],
  [
    'kernel-calls kernel-sees',
    'core/kernel/looks-up.ts',
    "import { one } from '../event/index.js'\nvoid one\n",
  ],
  [
    'observe-calls observe-sees',
    'core/observe/looks-up.ts',
    "import { one } from '../event/index.js'\nvoid one\n",
  ],
  ...[
    'event',
    'append',
    'deliver',
    'handle',
    'settle',
    'redrive',
    'access',
    'claim',
    'inspect',
    'contract',
    'personal',
    'tenant',
    'source',
    'webhook',
    'schedule',
    'workflow',
  ].map((folder) => [
    `${folder}-sees`,
    `core/${folder}/sees-store.ts`,
    "import type { Two } from '../store/store.js'\nexport type Three = Two\n",
  ]),
  [
    'kernel-sees',
    'core/kernel/sees-types.ts',
    "import type { One } from '../event/index.js'\nexport type Two = One\n",
  ],
  [
    'observe-sees',
    'core/observe/sees-types.ts',
    "import type { One } from '../event/index.js'\nexport type Two = One\n",
  ],
  [
    'store-sees',
    'core/store/memory/sees-runtime.ts',
    "import type { One } from '../../runtime/index.js'\nexport type Two = One\n",
  ],
  [
    'runtime-sees',
    'core/runtime/sees-testing.ts',
    "import type { One } from '../testing/index.js'\nexport type Two = One\n",
  ],
  [
    'by-the-door',
    'core/runtime/through-the-window.ts',
    "import { one } from '../deliver/inner.js'\nvoid one\n",
  ],
  [
    'by-the-door',
    'core/runtime/types-and-more.ts',
    "import { type One, one } from '../deliver/inner.js'\nexport type Two = One\nvoid one\n",
  ],
  ['entry-by-the-door', 'core/ingress.ts', "export { one } from './event/inner.js'\n"],
  [
    'stores-apart',
    'core/store/memory/reads-other.ts',
    "import type { Three } from '../postgres/inner.js'\nexport type Four = Three\n",
  ],
  ['store-by-runtime', 'core/extra.ts', "import './store/memory/tables.js'\n"],
  ['driver-in-one-folder', 'core/append/drives.ts', "import pg from 'pg'\nvoid pg\n"],
  ['no-cycle', 'core/append/circle-a.ts', "import { b } from './circle-b.js'\nexport const a = () => b\n"],
  ['no-test-in-production', 'core/append/helped.ts', "import './whole.test.js'\n"],
  [
    'no-test-in-production named-dependency',
    'core/append/tested.ts',
    "import { test } from 'vitest'\nvoid test\n",
  ],
  ['named-dependency', 'packages/server/src/drives.ts', "import pg from 'pg'\nvoid pg\n"],
  ['resolved', 'core/append/nowhere.ts', "import './gone.js'\n"],
  ['resolved', 'packages/server/src/private.ts', "import 'eventspine/src/deliver/index.js'\n"],
  [
    'published-entries by-name',
    'packages/server/src/window.ts',
    "import '../../eventspine/src/deliver/index.js'\n",
  ],
  [
    'published-entries by-name',
    'verify/proof/run.ts',
    "import '../../packages/eventspine/src/deliver/inner.js'\n",
  ],
  ['by-name no-test-in-production', 'packages/server/src/tested.ts', "import '../../../test/shared.js'\n"],
  ['by-name', 'apps/shop/src/path.ts', "import '../../../packages/eventspine/src/index.js'\n"],
  ['known-folder', 'core/basement/index.ts', named],
  ['file-lines', 'core/append/long.ts', lines(401)],
  ['function-lines', 'core/append/long-function.ts', `export function long() {\n${lines(70)}}\n`],
  ['function-lines', 'core/append/long-arrow.ts', `export const long = () => {\n${lines(70)}}\n`],
  ['function-lines', 'scripts/long.mjs', `class A {\n  long() {\n${lines(70)}}\n}\n`],
  ['file-name', 'core/append/utils.ts', named],
  ['file-name', 'packages/server/src/common/body.ts', named],
  ['file-name', 'core/append/lease-manager.ts', named],
  ['unfinished', 'core/append/later.ts', `// TO${'DO'}: later\n`],
  ['silenced', 'core/append/hushed.ts', `// oxlint-dis${'able'}-next-line no-console\n`],
  ['no-export-star', 'core/append/all.ts', "export * from './port.js'\n"],
  ['no-export-star', 'core/append/all-as.ts', "export * as port from './port.js'\n"],
  ...[
    'void Date.now()',
    'void Math.random()',
    'void performance.now()',
    'void new Date()',
    'setTimeout(go, 1)',
    'setInterval(go, 1)',
    'setImmediate(go)',
    'globalThis.setTimeout(go, 1)',
    'void process.env.HOME',
    "import { setTimeout as sleep } from 'node:timers/promises'",
    "import { pid } from 'node:process'",
    "import { createHash, randomUUID } from 'node:crypto'",
  ].map((text, index) => ['time-and-chance', `core/append/clock-${index}.ts`, `${text}\n`]),
  ...[
    "c.query('SELECT 1')",
    'c.query(text, values)',
    "execute('SELECT 1')",
    "c.query('read', text, values)",
  ].map((call, index) => [
    'sql-name',
    `core/store/postgres/nameless-${index}.ts`,
    `export const go = (c, execute, text, values) => ${call}\n`,
  ]),
  ['migration', 'packages/eventspine/migrations/0002_second.sql', 'CREATE TABLE two ()\n'],
  ['migration', 'packages/eventspine/migrations/0004_third.sql', '-- breaking: number three is missing\n'],
]

/** The rules that did not find their sample, and those that found a fault where none is. */
export async function missedSamples() {
  const root = mkdtempSync(join(tmpdir(), 'eventspine-rules-'))
  try {
    build(root)
    const { faults } = await check(root, { modules: 1, imports: 1 })
    const found = new Set(faults.map(({ rule, file }) => `${rule} in ${file}`))
    const planted = new Set(
      broken.flatMap(([rules, file]) => rules.split(' ').map((rule) => `${rule} in ${placeOf(file)}`)),
    )
    return {
      samples: planted.size,
      missed: [
        ...[...planted].filter((fault) => !found.has(fault)).map((fault) => `not caught: ${fault}`),
        ...[...found].filter((fault) => !planted.has(fault)).map((fault) => `caught by mistake: ${fault}`),
        ...withoutSample(root),
        ...(await sightOfNothing()),
      ],
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

async function sightOfNothing() {
  const empty = mkdtempSync(join(tmpdir(), 'eventspine-rules-'))
  const { faults } = await check(empty)
  rmSync(empty, { recursive: true, force: true })
  return faults.some(({ rule }) => rule === 'seen') ? [] : ['not caught: a check that saw nothing']
}

function withoutSample(root) {
  const shown = new Set(broken.flatMap(([rules]) => rules.split(' ')))
  return [...importRules(root), ...fileRules]
    .filter(({ name }) => !shown.has(name))
    .map(({ name }) => `no sample: ${name}`)
}

const placeOf = (file) => file.replace(/^core\//, 'packages/eventspine/src/')

function build(root) {
  const samples = [...Object.entries(sound), ...broken.map((sample) => sample.slice(1))]
  for (const [file, text] of samples) {
    const path = join(root, placeOf(file))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  symlinkSync(join(root, 'packages/eventspine'), join(root, 'node_modules/eventspine'), 'junction')
}
