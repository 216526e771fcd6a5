// What machines and newcomers ask first: health, metrics, the OpenAPI document, and a page for people.
import { z } from 'zod'
import { welcomePage } from '../pages/welcome.js'
import { Problem } from '../problem/problem.js'
import { type Answer, defineRoute, type Incoming } from '../route/route.js'
import { noPath, noQuery } from '../schema/parts.js'

const open = { scope: 'open', tenancy: 'none' } as const
const tag = 'System'

const healthz = defineRoute({
  method: 'GET',
  url: '/healthz',
  operationId: 'healthz',
  tag,
  summary: 'The process is up',
  access: open,
  path: noPath,
  query: noQuery,
  successes: [{ status: 200, description: 'Always', schema: z.object({ ok: z.literal(true) }) }],
  problems: [],
  handle: () => ({ body: { ok: true } }),
})

const readyz = defineRoute({
  method: 'GET',
  url: '/readyz',
  operationId: 'readyz',
  tag,
  summary: 'Events can be stored now',
  access: open,
  path: noPath,
  query: noQuery,
  successes: [
    {
      status: 200,
      description: 'Every cell can be reached',
      schema: z.object({ ok: z.literal(true), cells: z.record(z.string(), z.object({ ok: z.boolean() })) }),
    },
  ],
  problems: ['UNAVAILABLE', 'STOPPED'],
  handle: ready,
})

// Open to anyone: it says which cell cannot be reached. Why, and where its database is, the library logs.
async function ready({ spine }: Incoming): Promise<Answer> {
  if (!spine.ready()) throw notReady('Eventspine is not started, or was stopped')
  const { ok, cells } = await spine.health()
  if (ok) {
    const entries = Object.keys(cells).map((name) => [name, { ok: true }])
    return { body: { ok: true, cells: Object.fromEntries(entries) } }
  }
  const unreachable = Object.entries(cells).filter(([, cell]) => !cell.ok)
  throw notReady(`no answer from the database of ${unreachable.map(([name]) => name).join(', ')}`)
}

const notReady = (reason: string) =>
  new Problem('UNAVAILABLE', `Not ready: ${reason}. Events for it are refused until it is back.`, {
    retryAfterMs: 5_000,
  })

const metrics = defineRoute({
  method: 'GET',
  url: '/metrics',
  operationId: 'metrics',
  tag,
  summary: 'Metrics in the Prometheus text format',
  access: { scope: 'read', openOnLoopback: true, tenancy: 'system' },
  path: noPath,
  query: noQuery,
  successes: [{ status: 200, description: 'Metrics', schema: z.string(), contentType: 'text/plain' }],
  problems: ['UNAVAILABLE'],
  handle: async ({ spine, requests }) => ({
    body: `${await spine.prometheus()}${requests.text()}`,
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
  }),
})

const openApi = defineRoute({
  method: 'GET',
  url: '/openapi.json',
  operationId: 'openApi',
  tag,
  summary: 'This document',
  access: open,
  path: noPath,
  query: noQuery,
  successes: [{ status: 200, description: 'OpenAPI 3.1', schema: z.looseObject({ openapi: z.string() }) }],
  problems: [],
  handle: (incoming) => ({ body: incoming.openApi(), contentType: 'application/json; charset=utf-8' }),
})

const welcome = defineRoute({
  method: 'GET',
  url: '/',
  operationId: 'welcome',
  tag,
  summary: 'A page for people: what this is and what to try',
  access: open,
  path: noPath,
  query: noQuery,
  successes: [
    { status: 200, description: 'HTML', schema: z.string(), contentType: 'text/html' },
    {
      status: 302,
      description: 'A browser is led to the console',
      schema: z.string(),
      contentType: 'text/html',
    },
  ],
  problems: [],
  handle: welcomePage,
})

export const systemRoutes = [welcome, healthz, readyz, metrics, openApi]
