// The parts of a request against their schemas: every fault at once, each with its place and what would be right.
import type { z } from 'zod'
import { problemOf } from '../problem/from-error.js'
import { type Issue, Problem } from '../problem/problem.js'

const issuesMax = 20

/** The checked value. Throws REQUEST_INVALID with JSON Pointers below `prefix`. */
export function readValues<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  prefix: string,
): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issues = result.error.issues.flatMap((issue) => issuesOf(issue, schema, prefix)).slice(0, issuesMax)
  const [first] = issues
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
  throw new Problem('REQUEST_INVALID', `${first?.field || 'The body'}: ${first?.message}${more}.`, {
    field: first?.field,
    issues,
  })
}

function issuesOf(issue: z.core.$ZodIssue, schema: z.ZodType, prefix: string): Issue[] {
  const at = prefix + pointerOf(issue.path)
  if (issue.code !== 'unrecognized_keys') return [{ field: at, message: messageOf(issue) }]
  const known = issue.path.length === 0 ? knownKeys(schema) : []
  const hint = known.length === 0 ? 'remove it' : `known are ${known.join(', ')}`
  return issue.keys.map((key) => ({ field: at + pointerOf([key]), message: `is not known here; ${hint}` }))
}

// A text that cannot be read as a number arrives as NaN, which tells a caller nothing.
function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.message.endsWith('received NaN')) return 'must be one number'
  return issue.message
}

function knownKeys(schema: z.ZodType): string[] {
  return 'shape' in schema && typeof schema.shape === 'object' && schema.shape !== null
    ? Object.keys(schema.shape)
    : []
}

const keyCharactersMax = 100

/** RFC 6901, long keys shortened. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path
    .map((key) => String(key).slice(0, keyCharactersMax).replaceAll('~', '~0').replaceAll('/', '~1'))
    .map((key) => `/${key}`)
    .join('')
}

/** The error with its field where the caller wrote it: the library's `/cursor` is `/query/cursor` here. */
export function inPlace(error: unknown, path: z.ZodObject, query: z.ZodObject): unknown {
  const { code, message, field, issues, headers } = problemOf(error)
  const name = /^\/([^/]+)/.exec(field ?? '')?.[1]
  const part = name === undefined ? undefined : partOf(name, path, query)
  if (part === undefined) return error
  return new Problem(code, message, { field: `/${part}${field}`, issues, headers, cause: error })
}

function partOf(name: string, path: z.ZodObject, query: z.ZodObject): 'path' | 'query' | undefined {
  if (Object.hasOwn(path.shape, name)) return 'path'
  return Object.hasOwn(query.shape, name) ? 'query' : undefined
}
