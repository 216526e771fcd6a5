// A line that a supervised process wrote, as a person reads it: JSON log lines become words, other lines stay.
import { dim, red, type Text, yellow } from '../screen/text.js'
import { visibleJson } from '../screen/visible.js'

const levels: Readonly<Record<string, (text: string) => Text>> = {
  debug: dim,
  info: (text) => text,
  warn: yellow,
  error: red,
}

/** The text of the line. */
export function logLine(line: string): Text {
  const record = recordOf(line)
  if (record === undefined) return line
  const { time, level, message, ...fields } = record
  const paint = levels[level] ?? dim
  const more = Object.entries(fields).map(([name, value]) => `${name}=${shown(value)}`)
  return [dim(time.slice(11, 19)), ' ', paint(level.padEnd(5)), ' ', message, dim(` ${more.join(' ')}`)]
}

const shown = (value: unknown) => (typeof value === 'string' ? value : (errorOf(value) ?? visibleJson(value)))

function errorOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('message' in value)) return undefined
  return typeof value.message === 'string' ? value.message : undefined
}

interface LogRecord extends Record<string, unknown> {
  readonly time: string
  readonly level: string
  readonly message: string
}

function recordOf(line: string): LogRecord | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(line)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is LogRecord {
  if (typeof value !== 'object' || value === null) return false
  const { time, level, message } = value as Record<string, unknown>
  return typeof time === 'string' && typeof level === 'string' && typeof message === 'string'
}
