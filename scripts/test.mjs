// `npm test`: types, lint, rules, then every test, then the programmes of verify/; ends with the names of what failed and
// one line that counts. With arguments, only vitest with these arguments, on the programmes of verify/ if the first is
// --verify. With CI=true a skipped test fails the run.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { ensureInstalled, root } from './install.mjs'
import { stopWhenOrphaned } from './orphan.mjs'
import { inWords, withProgress } from './progress.mjs'

const bin = (path) => join(root, 'node_modules', path)
const nothing = { passed: 0, failed: [], skipped: [] }

const checks = [
  { name: 'types', script: bin('typescript/bin/tsc'), parameters: ['-p', 'tsconfig.json'] },
  { name: 'format', script: bin('@biomejs/biome/bin/biome'), parameters: ['check', '.'] },
  { name: 'lint', script: bin('oxlint/bin/oxlint'), parameters: [] },
  { name: 'rules', script: join(root, 'scripts/rules.mjs'), parameters: [] },
]

stopWhenOrphaned()
await ensureInstalled()
process.exitCode = await main(process.argv.slice(2))

async function main(parameters) {
  const failedChecks = parameters.length > 0 ? [] : await runChecks()
  const all = parameters.length === 0
  const tests = parameters[0] === '--verify' ? nothing : await runTests(parameters, false)
  // Behind the others, not beside them: they kill, stop and overload what they start.
  const verified = all || tests === nothing ? await runTests(parameters.slice(1), true) : nothing
  // With arguments most tests are left out on purpose.
  const strict = process.env.CI === 'true' && parameters.length === 0
  const skipped = [...tests.skipped, ...verified.skipped]
  if (parameters.length === 0) reportSkipped(skipped, strict)
  const failed = [...failedChecks, ...tests.failed, ...verified.failed]
  if (failed.length > 0) console.log(['\nFailed:', ...failed].join('\n  '))
  console.log(
    `\n${tests.passed + verified.passed} passed, ${failed.length} failed, ${skipped.length} skipped`,
  )
  return failed.length > 0 || (strict && skipped.length > 0) ? 1 : 0
}

async function runChecks() {
  const failed = []
  for (const check of checks) {
    if (!existsSync(check.script)) continue
    const beganAt = Date.now()
    const { code, output } = await withProgress(`Checking ${check.name}`, () =>
      run(check.script, check.parameters),
    )
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'}  ${check.name} (${inWords(Date.now() - beganAt)})`)
    if (code === 0) continue
    failed.push(check.name)
    console.log(`${output.trim()}\n`)
  }
  return failed
}

async function runTests(parameters, verifies) {
  const folder = mkdtempSync(join(tmpdir(), 'eventspine-report-'))
  const report = join(folder, 'tests.json')
  try {
    // The runner loads the configuration without writing into node_modules, which may belong to another user.
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const { code } = await run(
      bin('vitest/vitest.mjs'),
      ['run', '--configLoader=runner', ...reporters, ...parameters],
      'inherit',
      { EVENTSPINE_VERIFY: String(verifies) },
    )
    return countTests(report, code)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

// A file that cannot be loaded, or a fault outside of any test, has no failed test of its own but fails the run.
function countTests(report, code) {
  if (!existsSync(report)) return { passed: 0, failed: ['the tests: no report of them'], skipped: [] }
  const files = JSON.parse(readFileSync(report, 'utf8')).testResults
  const tests = files.flatMap((file) => file.assertionResults)
  const failed = files.flatMap((file) => failuresOf(file))
  if (code !== 0 && failed.length === 0) failed.push('a fault outside of any test')
  return {
    passed: tests.filter((test) => test.status === 'passed').length,
    failed,
    skipped: tests.filter((test) => !isFailed(test) && test.status !== 'passed'),
  }
}

function failuresOf(file) {
  const failed = file.assertionResults.filter(isFailed).map((test) => `: ${test.fullName}`)
  if (failed.length === 0 && file.status === 'failed') failed.push('')
  return failed.map((test) => relative(root, file.name) + test)
}

function isFailed(test) {
  return test.status === 'failed'
}

// A test that needs a program says so at the end of its title or of its group's: "(needs chromium)".
function reportSkipped(skipped, strict) {
  if (skipped.length === 0) return
  const wants = new Map()
  for (const test of skipped) {
    const want = /\(needs ([^)]+)\)/.exec(test.fullName)?.[1] ?? 'switched off in the code'
    wants.set(want, [...(wants.get(want) ?? []), test.fullName])
  }
  console.log(`\nSkipped${strict ? ', which fails the run because CI=true' : ''}:`)
  for (const [want, names] of wants) {
    console.log(`  for want of ${want}:`)
    for (const name of names) console.log(`    ${name}`)
  }
}

function run(script, parameters, output = 'pipe', environment = {}) {
  return new Promise((done) => {
    const child = spawn(process.execPath, [script, ...parameters], {
      cwd: root,
      stdio: ['ignore', output, output],
      env: { ...process.env, ...environment },
    })
    const release = passSignalsTo(child)
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (data) => {
        said += data
      })
    }
    child.once('error', (error) => done({ code: 1, output: error.message }))
    child.once('close', (code) => {
      release()
      done({ code: code ?? 1, output: said })
    })
  })
}

// Ctrl-C reaches the child from the terminal by itself; this process only waits for what the child makes of it.
function passSignalsTo(child) {
  const interrupt = () => {}
  const terminate = () => child.kill('SIGTERM')
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', terminate)
  return () => {
    process.off('SIGINT', interrupt)
    process.off('SIGTERM', terminate)
  }
}
