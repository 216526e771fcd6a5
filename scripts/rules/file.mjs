// The rules that one file can break by itself. Each has a name and answers lines with what to do about them.
import ts from 'typescript'

const fileLinesMax = 400
const functionLinesMax = 70
const core = /^packages\/eventspine\/src\//
const timeMayEnter = /^packages\/eventspine\/src\/(kernel|runtime|testing)\//
const postgres = /^packages\/eventspine\/src\/store\/postgres\//
const test = /\.(test|fixture)\.ts$|(^|\/)test\/|\/store\/conformance\//

const vague = /(^|[-_.])(utils?|common|helpers?|managers?|misc)([-_.]|$)/
// In two parts, so that this file does not break its own rules.
const unfinished = new RegExp(`\\b(TO${'DO'}|FIX${'ME'}|XX${'X'})\\b`)
const silenced = new RegExp(`(oxlint|eslint)-dis${'able'}|biome-ign${'ore'}|@ts-(ignore|nocheck)`)

export const fileRules = [
  {
    name: 'file-lines',
    judge(_file, text) {
      const count = text.replace(/\n$/, '').split('\n').length
      return count > fileLinesMax
        ? [
            {
              line: fileLinesMax + 1,
              message: `The file has ${count} lines, ${fileLinesMax} are the limit. Find its second noun.`,
            },
          ]
        : []
    },
  },
  {
    name: 'file-name',
    judge(file) {
      const word = file.split('/').find((part) => vague.test(part))
      return word === undefined ? [] : [{ line: 1, message: `"${word}" says nothing. Name the noun.` }]
    },
  },
  { name: 'unfinished', judge: (_file, text) => matches(text, unfinished, 'Do it, or open an issue.') },
  {
    name: 'silenced',
    judge: (_file, text) => matches(text, silenced, 'Mend what the tool says instead of silencing it.'),
  },
  { name: 'function-lines', judge: nodes(longFunction) },
  { name: 'no-export-star', judge: nodes(exportStar) },
  {
    name: 'time-and-chance',
    judge: nodes(timeOrChance, (file) => core.test(file) && !timeMayEnter.test(file) && !test.test(file)),
  },
  { name: 'sql-name', judge: nodes(namelessSql, (file) => postgres.test(file) && !test.test(file)) },
]

function matches(text, pattern, message) {
  return text
    .split('\n')
    .flatMap((line, index) =>
      pattern.test(line) ? [{ line: index + 1, message: `${line.trim().slice(0, 60)}: ${message}` }] : [],
    )
}

const parsed = new Map()

function parse(file, text) {
  if (parsed.get('text') !== text) {
    parsed.set('text', text)
    parsed.set('tree', ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true))
  }
  return parsed.get('tree')
}

// A rule over syntax: `judge` answers a message for a node that breaks it.
function nodes(judge, applies = () => true) {
  return (file, text) => {
    if (!applies(file)) return []
    const tree = parse(file, text)
    const found = []
    const visit = (node) => {
      const message = judge(node, tree)
      if (message !== undefined) {
        const start = tree.getLineAndCharacterOfPosition(node.getStart(tree))
        found.push({ line: start.line + 1, message })
      }
      ts.forEachChild(node, visit)
    }
    visit(tree)
    return found
  }
}

function longFunction(node, tree) {
  if (!ts.isFunctionLike(node) || node.body === undefined || isGroupOfTests(node)) return undefined
  const first = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line
  const count = tree.getLineAndCharacterOfPosition(node.end).line - first + 1
  return count > functionLinesMax
    ? `The function has ${count} lines, ${functionLinesMax} are the limit. Name its parts.`
    : undefined
}

// A group is a folder for tests, not something that runs from top to bottom.
function isGroupOfTests(node) {
  return ts.isCallExpression(node.parent) && /^describe\b/.test(node.parent.expression.getText())
}

function exportStar(node) {
  if (!ts.isExportDeclaration(node)) return undefined
  const named = node.exportClause !== undefined && ts.isNamedExports(node.exportClause)
  return named ? undefined : 'Name each export: `export *` hides what is public.'
}

const clockCalls = new Set([
  'Date.now',
  'Math.random',
  'performance.now',
  'AbortSignal.timeout',
  'crypto.randomUUID',
  'crypto.getRandomValues',
])
const timers = new Set(['setTimeout', 'setInterval', 'setImmediate'])
const clockModules = /^(node:)?(timers(\/promises)?|process|perf_hooks)$/
const chance = /^random/

function timeOrChance(node) {
  const found = clockUse(node)
  return (
    found && `${found}: time, chance and the process enter through kernel/ (Clock, Random) or runtime/ alone.`
  )
}

function clockUse(node) {
  if (ts.isPropertyAccessExpression(node)) {
    if (clockCalls.has(node.getText())) return node.getText()
    if (ts.isIdentifier(node.expression) && node.expression.text === 'process') return node.getText()
    if (node.expression.getText() === 'globalThis' && timers.has(node.name.text)) return node.getText()
    return undefined
  }
  if (ts.isCallExpression(node) && timers.has(node.expression.getText())) return node.expression.getText()
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length)
    return 'new Date()'
  if (ts.isImportDeclaration(node)) return clockImport(node)
  return undefined
}

function clockImport(node) {
  const from = node.moduleSpecifier.text
  if (clockModules.test(from)) return from
  const names = node.importClause?.namedBindings
  if (!/^(node:)?crypto$/.test(from) || names === undefined || !ts.isNamedImports(names)) return undefined
  return names.elements
    .map((element) => (element.propertyName ?? element.name).text)
    .find((name) => chance.test(name))
}

const runners = new Set(['query', 'execute', 'run'])
const statementName = /^[a-z]+(-[a-z]+)*\./
const command = /^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|LISTEN|UNLISTEN)\b/
const leadingComment = /^\s*\/\* /

// `query`, `execute` and `run` take a name before the text; the driver's own `query` takes a text that begins with one.
function namelessSql(node, tree) {
  if (!ts.isCallExpression(node) || node.arguments.length === 0) return undefined
  const callee = node.expression
  const name = ts.isPropertyAccessExpression(callee) ? callee.name.text : callee.getText()
  if (!runners.has(name)) return undefined
  const named = node.arguments.slice(0, 2).some((argument) => isNamed(argument, tree))
  return named
    ? undefined
    : `${node.getText().slice(0, 50)}: the statement has no name. Give one such as 'deliver.tick': pg_stat_statements shows it.`
}

function isNamed(argument, tree) {
  if (ts.isIdentifier(argument)) return argument.text === 'name' || declaredAsNamed(argument.text, tree)
  if (ts.isCallExpression(argument)) return /(^|\.)statement$/.test(argument.expression.getText())
  if (ts.isTemplateExpression(argument) && argument.head.text === '') {
    return isNamed(argument.templateSpans[0].expression, tree)
  }
  const text = ts.isTemplateExpression(argument) ? argument.head.text : argument.text
  return (
    typeof text === 'string' && (statementName.test(text) || command.test(text) || leadingComment.test(text))
  )
}

// A local text that begins with a name, or a parameter that can only be a command.
function declaredAsNamed(name, tree) {
  let named = false
  const visit = (node) => {
    if (ts.isVariableDeclaration(node) && node.name.getText() === name && node.initializer !== undefined)
      named ||= !ts.isIdentifier(node.initializer) && isNamed(node.initializer, tree)
    if (ts.isParameter(node) && node.name.getText() === name && node.type !== undefined)
      named ||= node.type
        .getText()
        .split('|')
        .every((part) => command.test(part.trim().slice(1)))
    ts.forEachChild(node, visit)
  }
  visit(tree)
  return named
}

/** Migrations are numbered without a hole and say in their first line whether an old worker survives them. */
export function migrationFaults(files, texts) {
  const migrations = files.filter((file) => /\/migrations\/[^/]+\.sql$/.test(file))
  return migrations.flatMap((file, index) => {
    const faults = []
    if (!/^-- (additive|breaking): \S/.test(texts.get(file)))
      faults.push('The first line says `-- additive: …` or `-- breaking: …`, and why.')
    if (!file.includes(`/migrations/${String(index + 1).padStart(4, '0')}_`))
      faults.push(`The name begins with ${String(index + 1).padStart(4, '0')}_: one after another, no hole.`)
    return faults.map((message) => ({ file, line: 1, rule: 'migration', message }))
  })
}
