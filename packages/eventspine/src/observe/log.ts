// JSON lines, one per record. Payloads are never logged; control characters cannot break a line.

export type LogFields = Readonly<Record<string, unknown>>

export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

const rank: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 }

/** Writes `{"time","level","message",...fields}` lines through `write`. */
export function jsonLogger(
  level: LogLevel,
  now: () => number,
  write: (line: string) => void,
  bound: LogFields = {},
): Logger {
  const log =
    (at: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: LogFields = {}) => {
      if (rank[at] < rank[level]) return
      const own = { time: new Date(now()).toISOString(), level: at, message }
      // The second time, so that no field can pass for what the logger itself says.
      write(`${lineOf(Object.assign({ ...own }, plain(fields), plain(bound), own))}\n`)
    }
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
}

/** The same logger with `fields` on every line; what is logged later cannot change them. */
export function boundLogger(logger: Logger, fields: LogFields): Logger {
  const log =
    (at: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, more: LogFields = {}) =>
      logger[at](message, { ...fields, ...more, ...fields })
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }

const textLengthMax = 2_000

const shown = (error: Error) => ({
  name: error.name,
  message: error.message.slice(0, textLengthMax),
  code: codeOf(error),
})

function plain(fields: LogFields): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    result[name] = value instanceof Error ? shown(value) : value
  }
  return result
}

// JSON leaves these as they are: DEL and the C1 controls steer terminals, the two separators end lines in some viewers.
const steering = /[\u007f-\u009f\u2028\u2029]/g
const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** A handler may log anything, and must not fail by it. */
function lineOf(record: Record<string, unknown>): string {
  const ancestors: object[] = []
  return JSON.stringify(record, function (this: object, _name, value: unknown) {
    if (typeof value === 'bigint') return String(value)
    if (typeof value !== 'object' || value === null) return value
    while (ancestors.length > 0 && ancestors.at(-1) !== this) ancestors.pop()
    if (ancestors.includes(value)) return '[itself]'
    ancestors.push(value)
    return value instanceof Error ? shown(value) : value
  }).replace(steering, escaped)
}

const codeOf = (error: Error) => ('code' in error ? error.code : undefined)
