// How a command fails: an exit code for scripts, and one line that says what to do.
import type { Screen } from './screen/screen.js'
import { dim, red } from './screen/text.js'
import { visibleLines } from './screen/visible.js'

/** What a script can tell by. Listed in `eventspine --help`. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  unreachable: 4,
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

export interface Failure {
  readonly code: string
  readonly message: string
  readonly field?: string
  readonly issues?: readonly { readonly field: string; readonly message: string }[]
  readonly retryAfterMs?: number
  readonly exitCode: ExitCode
}

/** A failure found by the command line itself. Default exit code: 2, wrong input. */
export class CommandError extends Error {
  readonly code: string
  readonly field: string | undefined
  readonly exitCode: ExitCode
  override readonly name = 'CommandError'

  constructor(
    code: string,
    message: string,
    details: { readonly field?: string; readonly exitCode?: ExitCode; readonly cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.field = details.field
    this.exitCode = details.exitCode ?? exitCodes.usage
  }
}

const exitCodesByCode: Readonly<Record<string, ExitCode>> = {
  APP_INVALID: exitCodes.usage,
  EVENT_INVALID: exitCodes.usage,
  EVENT_UNKNOWN: exitCodes.usage,
  EVENT_TOO_LARGE: exitCodes.usage,
  IDEMPOTENCY_CONFLICT: exitCodes.usage,
  REQUEST_INVALID: exitCodes.usage,
  REPLAY_REFUSED: exitCodes.usage,
  CONTRACT_CHANGED: exitCodes.usage,
  CELL_UNKNOWN: exitCodes.notFound,
  NOT_FOUND: exitCodes.notFound,
  WORKFLOW_UNKNOWN: exitCodes.notFound,
  UNAVAILABLE: exitCodes.unreachable,
}

/** Whatever was thrown, as it is told. Judged by shape: the app may bring a copy of the library of its own. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: 'FAILED', message: String(error), exitCode: exitCodes.failed }
  const known = error as Error & Partial<Omit<Failure, 'exitCode'>> & { readonly exitCode?: ExitCode }
  const code = typeof known.code === 'string' ? known.code : 'FAILED'
  return {
    code: isDatabaseRefusal(code) ? 'UNAVAILABLE' : code,
    message: isDatabaseRefusal(code) ? refusal(error) : messageOf(error),
    ...(typeof known.field === 'string' && { field: known.field }),
    ...(Array.isArray(known.issues) && known.issues.length > 1 && { issues: known.issues }),
    ...(typeof known.retryAfterMs === 'number' && { retryAfterMs: known.retryAfterMs }),
    exitCode: exitCodeOf(error, code),
  }
}

function exitCodeOf(error: Error, code: string): ExitCode {
  if (error instanceof CommandError) return error.exitCode
  if (code.startsWith('JSON_') || code.startsWith('commander.')) return exitCodes.usage
  if (code.startsWith('EMBEDDED_DATABASE_') || isDatabaseRefusal(code)) return exitCodes.unreachable
  return exitCodesByCode[code] ?? exitCodes.failed
}

// SQLSTATE 28: wrong user or password. 3D000: no such database.
const isDatabaseRefusal = (code: string) => /^(28...|3D000)$/.test(code)

const refusal = (error: Error) =>
  `The database refuses: ${error.message}. Check user, password and database of --database-url.`

// What lies underneath a database that cannot be reached says more than the fact.
function messageOf(error: Error): string {
  const cause = 'code' in error && error.code === 'UNAVAILABLE' ? reasonOf(error.cause) : undefined
  return cause === undefined ? error.message : `${error.message} (${cause})`
}

function reasonOf(cause: unknown): string | undefined {
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0])
  return cause instanceof Error && cause.message !== '' ? cause.message : undefined
}

const issuesShownMax = 10

/** Tells a failure on standard error: a line for people, an object with --json. */
export function tell(screen: Screen, failure: Failure): void {
  const { exitCode: _exitCode, ...document } = failure
  const [first = '', ...rest] = visibleLines(failure.message, 20)
  const issues = (failure.issues ?? []).slice(0, issuesShownMax)
  screen.complain(
    document,
    [red('error'), ' ', first, failure.code === 'FAILED' ? '' : dim(` [${failure.code}]`)],
    ...rest.map((line) => [line]),
    ...issues.map((issue) => ['  ', dim(issue.field), ' ', issue.message]),
  )
}
