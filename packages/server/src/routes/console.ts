// The console: its pages and files. They are the same for everybody and hold no data; that they ask for as anyone does.
import { z } from 'zod'
import { consoleAsset, consoleMissing, consolePage } from '../pages/console.js'
import { defineRoute, type Route } from '../route/route.js'
import { noPath, text } from '../schema/parts.js'
import { sessionRoutes } from './session.js'

const tag = 'Console'
const open = { scope: 'open', tenancy: 'none' } as const
/** What its pages show stands in the query, which the server has no part in. */
const anyQuery = z.looseObject({})
const problems = ['ROUTE_UNKNOWN', 'UNAVAILABLE'] as const
const page = { status: 200, description: 'HTML', schema: z.string(), contentType: 'text/html' } as const

/** Where it begins; and the same as people type it. */
const [consoleRoot, consoleWithoutSlash] = (
  [
    ['/console/', 'console'],
    ['/console', 'consoleWithoutSlash'],
  ] as const
).map(([url, operationId]) =>
  defineRoute({
    ...{ method: 'GET', url, operationId, tag, access: open, path: noPath, query: anyQuery },
    summary: 'The console',
    ...{ successes: [page], problems, problemPage: consoleMissing },
    handle: (incoming) => consolePage(incoming),
  }),
) as [Route, Route]

const consoleSection = defineRoute({
  method: 'GET',
  url: '/console/:section',
  operationId: 'consoleSection',
  tag,
  summary: 'A page of the console',
  access: open,
  path: z.strictObject({ section: text(100).describe('Such as dead-letters') }),
  query: anyQuery,
  successes: [page],
  problems,
  problemPage: consoleMissing,
  handle: (incoming) => consolePage(incoming),
})

const consoleFile = defineRoute({
  method: 'GET',
  url: '/console/assets/:file',
  operationId: 'consoleFile',
  tag,
  summary: 'A script, style or image of the console',
  description: 'Its name holds the hash of its content, so it may be kept for ever.',
  access: open,
  path: z.strictObject({ file: text(200).describe('Name of the file') }),
  query: anyQuery,
  successes: [{ status: 200, description: 'The file', schema: z.string(), contentType: '*/*' }],
  problems: ['NOT_FOUND', 'ROUTE_UNKNOWN'],
  handle: (incoming) => consoleAsset(incoming, incoming.path.file),
})

export const consoleRoutes = [...sessionRoutes, consoleRoot, consoleWithoutSlash, consoleFile, consoleSection]
