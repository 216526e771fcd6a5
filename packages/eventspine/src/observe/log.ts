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
      write(
        `${JSON.stringify({ time: new Date(now()).toISOString(), level: at, message, ...bound, ...plain(fields) })}\n`,
      )
    }
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
}

/** The same logger with `fields` on every line. */
export function boundLogger(logger: Logger, fields: LogFields): Logger {
  const log =
    (at: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, more: LogFields = {}) =>
      logger[at](message, { ...fields, ...more })
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }

const textLengthMax = 2_000

function plain(fields: LogFields): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Error)
      result[name] = { name: value.name, message: value.message.slice(0, textLengthMax), code: codeOf(value) }
    else result[name] = typeof value === 'bigint' ? String(value) : value
  }
  return result
}

const codeOf = (error: Error) => ('code' in error ? error.code : undefined)
