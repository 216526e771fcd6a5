// The bench: asks the questions one after another, prints what comes out, and leaves nothing behind.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Answer, Question } from './core/answer.js'
import { keep, keptOf } from './core/bank.js'
import { writeSection } from './core/document.js'
import { Lab } from './core/lab.js'
import { commit, machine } from './core/machine.js'
import { type Options, readOptions, usage } from './core/options.js'
import { payloadBytes } from './core/payload.js'
import { redisSettings, redisVersion } from './core/redis.js'
import { type Answered, type Circumstances, jsonLines, markdownOf, tableOf } from './core/report.js'
import { publishing } from './core/run.js'
import { questions } from './questions/index.js'

/** Fewer have no median. */
const runsMin = 3

const forPeople = (line: string) => process.stderr.write(`${line}\n`)

process.exitCode = await main(process.argv.slice(2))

async function main(parameters: readonly string[]): Promise<number> {
  const options = optionsOf(parameters)
  if (options === null) return 2
  if (options.help) return say(usage)
  if (options.types) return checkTypes()
  if (options.list) return say(questions.map(({ name, title }) => `${name.padEnd(22)} ${title}`).join('\n'))
  const asked = chosen(options)
  if (asked === null) return 2
  const lab = new Lab(options, forPeople)
  stopOnSignal(lab)
  try {
    await lab.start()
    return await ask(lab, asked)
  } finally {
    await lab.stop()
  }
}

function optionsOf(parameters: readonly string[]): Options | null {
  try {
    return readOptions(parameters)
  } catch (error) {
    forPeople(`${error instanceof Error ? error.message : error}\n\n${usage}`)
    return null
  }
}

function chosen({ only }: Options): readonly Question[] | null {
  const unknown = only.filter((name) => !questions.some((question) => question.name === name))
  if (unknown.length > 0) {
    forPeople(
      `There is no question ${unknown.join(', ')}. There are ${questions.map(({ name }) => name).join(', ')}.`,
    )
    return null
  }
  return only.length === 0 ? questions : questions.filter(({ name }) => only.includes(name))
}

function say(text: string): number {
  process.stdout.write(`${text}\n`)
  return 0
}

function checkTypes(): number {
  const folder = fileURLToPath(new URL('.', import.meta.url))
  const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
  return spawnSync(process.execPath, [compiler, '-p', folder], { stdio: 'inherit' }).status ?? 1
}

async function ask(lab: Lab, asked: readonly Question[]): Promise<number> {
  const { options } = lab
  const circumstances = await circumstancesOf(lab)
  const answered: Answered[] = []
  let failed = 0
  for (const question of asked) {
    try {
      const one = { question, answer: judged(await question.measure(lab), options) }
      answered.push(one)
      const complete = options.complete && lab.systems.length === options.systems.length
      if (options.write) document({ ...options, complete }, one, circumstances)
      if (options.json) for (const line of jsonLines(one, circumstances)) process.stdout.write(`${line}\n`)
      const write = options.json ? forPeople : say
      write(tableOf(one))
    } catch (error) {
      if (lab.stopped) return 1
      failed += 1
      const { message } = error instanceof Error ? error : new Error(String(error))
      if (options.json)
        process.stdout.write(
          `${JSON.stringify({ question: question.name, failed: message, settings: circumstances })}\n`,
        )
      forPeople(`\n${question.name} could not be measured: ${error instanceof Error ? error.stack : error}\n`)
    }
  }
  forPeople(summaryOf(answered, failed))
  return failed > 0 ? 1 : 0
}

/** A tiny run shows that a question works, and reaches nothing. */
function judged(answer: Answer, { kind }: Options): Answer {
  if (kind !== 'tiny') return answer
  return { ...answer, verdicts: answer.verdicts.map((verdict) => ({ ...verdict, pass: null })) }
}

function summaryOf(answered: readonly Answered[], failed: number): string {
  const verdicts = answered.flatMap(({ answer }) => answer.verdicts)
  const reached = verdicts.filter(({ pass }) => pass === true).length
  const unmeasured = failed === 0 ? '' : `, ${failed} questions could not be measured`
  return `${reached} of ${verdicts.length} targets reached${unmeasured}; ${Math.round(process.uptime())} s`
}

// Each as it comes: a run that is interrupted has measured what it has.
function document(
  { kind, scale, complete }: Options,
  { question, answer }: Answered,
  circumstances: Circumstances,
): void {
  if (kind !== 'full' || scale.runs < runsMin || !complete) {
    forPeople(
      `docs/benchmarks.md holds full runs only, of ${runsMin} runs each, with all systems; nothing was written.`,
    )
    return
  }
  const { name, title } = question
  keep({ name, title, answer, circumstances: { ...circumstances, at: new Date().toISOString() } })
  const kept = keptOf(questions.map((each) => each.name))
  const missing = questions.filter((each) => !kept.some((one) => one.name === each.name))
  const names = missing.map((each) => each.name)
  forPeople(`Written to ${writeSection(markdownOf(kept, names))}`)
}

async function circumstancesOf(lab: Lab): Promise<Circumstances> {
  const { kind, seed, scale } = lab.options
  const manifest = fileURLToPath(new URL('package.json', import.meta.url))
  const { dependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    dependencies: Record<string, string>
  }
  return {
    at: new Date().toISOString(),
    commit: commit(),
    machine: machine(),
    node: lab.node.version,
    postgres: await lab.settings(),
    redis: { version: redisVersion() ?? 'missing', ...redisSettings },
    systems: lab.systems.join(', '),
    peers: dependencies,
    seed,
    kind,
    payloadBytes,
    publishing,
    scale,
  }
}

// The first signal ends everything in order; the measured processes die with this one in any case.
function stopOnSignal(lab: Lab): void {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      forPeople('Stopping.')
      lab.stop().then(
        () => process.exit(code),
        () => process.exit(code),
      )
    })
  }
}
