// Runs the library's tests in one combination: those of `packages/eventspine`, without the ones that spawn processes.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Surroundings } from './combination.js'
import { root } from './folder.js'

export interface Result {
  readonly passed: number
  readonly skipped: number
  /** Files and names, with the first line of why. */
  readonly failed: readonly string[]
}

interface FileReport {
  readonly name: string
  readonly status: string
  readonly message: string
  readonly assertionResults: readonly {
    readonly status: string
    readonly fullName: string
    readonly failureMessages: readonly string[]
  }[]
}

/** Each test has so long, on machines that do other things as well. */
const testMsMax = 60_000
const saidCharactersMax = 4_000

/** Those of the files under `paths`, or with `shard` ("2/3") one part of them. */
export async function runTests(
  surroundings: Surroundings,
  paths: readonly string[],
  shard: string | undefined,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'eventspine-matrix-'))
  const report = join(folder, 'tests.json')
  try {
    const part = shard === undefined ? [] : [`--shard=${shard}`]
    const said = await vitest(surroundings, [
      ...paths,
      ...part,
      '--reporter=json',
      `--outputFile.json=${report}`,
    ])
    if (!existsSync(report)) throw new Error(`The tests did not come to an end.\n${said}`)
    return resultOf(JSON.parse(readFileSync(report, 'utf8')).testResults)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Answers the end of what it said on standard error. */
function vitest(
  { node, databaseUrl, directUrl = databaseUrl }: Surroundings,
  parameters: readonly string[],
): Promise<string> {
  const first = ['run', '--configLoader=runner', '--exclude=**/*.e2e.test.ts', `--testTimeout=${testMsMax}`]
  return new Promise((resolve, reject) => {
    const child = spawn(node, [join(root, 'node_modules/vitest/vitest.mjs'), ...first, ...parameters], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, TEST_DATABASE_URL: databaseUrl, TEST_DIRECT_DATABASE_URL: directUrl },
    })
    // The surroundings end with us: whoever interrupts this wants no server left behind.
    const end = () => child.kill('SIGTERM')
    process.once('SIGINT', end).once('SIGTERM', end)
    let said = ''
    child.stderr.on('data', (text) => {
      said = (said + text).slice(-saidCharactersMax)
    })
    child.once('error', reject)
    child.once('close', () => {
      process.off('SIGINT', end).off('SIGTERM', end)
      resolve(said)
    })
  })
}

function resultOf(files: readonly FileReport[]): Result {
  const tests = files.flatMap((file) => file.assertionResults.map((test) => ({ file, ...test })))
  const failed = tests
    .filter(({ status }) => status === 'failed')
    .map(
      ({ file, fullName, failureMessages }) =>
        `${shortName(file)}: ${fullName}: ${firstLine(failureMessages[0])}`,
    )
  // A file that cannot be loaded has no failed test of its own.
  const broken = files
    .filter(
      ({ status, assertionResults }) =>
        status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
    )
    .map((file) => `${shortName(file)}: ${firstLine(file.message)}`)
  return {
    passed: tests.filter(({ status }) => status === 'passed').length,
    skipped: tests.filter(({ status }) => status !== 'passed' && status !== 'failed').length,
    failed: [...failed, ...broken],
  }
}

const shortName = (file: FileReport) => file.name.replace(root, '')
const firstLine = (text = '') => text.split('\n')[0]?.slice(0, 200) ?? ''
