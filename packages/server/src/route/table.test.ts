// Denied by default: a route that does not say who may use it, or what it takes, stops the server from being made.
import { expect, test } from 'vitest'
import type { Route } from './route.js'
import { checkRoutes, routeTable } from './table.js'

const [first] = routeTable as readonly [Route]

test('the table is complete', () => {
  expect(() => checkRoutes(routeTable)).not.toThrow()
  expect(routeTable.length).toBeGreaterThan(30)
})

const incomplete: readonly (readonly [string, Partial<Record<keyof Route, unknown>>, RegExp])[] = [
  ['no permission', { access: undefined }, /declare its permission/],
  ['an unknown permission', { access: { scope: 'everyone', tenancy: 'none' } }, /declare its permission/],
  ['no word on tenants', { access: { scope: 'read' } }, /one tenant sees/],
  ['no schema of the query', { query: undefined }, /path and query/],
  ['no schema of the path', { path: undefined }, /path and query/],
  ['no schema of the body', { body: undefined, rawBody: undefined }, /schema of its body/],
  ['no answer', { successes: [] }, /what it answers/],
]

test.each(incomplete)('%s', (_name, part, message) => {
  const route = { ...first, url: '/planted', operationId: 'planted', ...part } as Route
  expect(() => checkRoutes([...routeTable, route])).toThrow(message)
})

test('one place, or one operation id, declared twice', () => {
  expect(() => checkRoutes([...routeTable, { ...first, operationId: 'another' }])).toThrow(/declared twice/)
  expect(() => checkRoutes([...routeTable, { ...first, url: '/another' }])).toThrow(/declared twice/)
})

test('what is open is a short list', () => {
  const open = routeTable.filter(({ access }) => access.scope === 'open').map(({ url }) => url)
  expect(open.sort()).toEqual([
    ...['/', '/approvals/:token', '/approvals/:token'],
    ...['/console', '/console/', '/console/:section', '/console/assets/:file'],
    ...['/console/session', '/console/session', '/console/session'],
    ...['/healthz', '/openapi.json', '/readyz', '/sources/:source'],
  ])
  const onLoopback = routeTable.filter(({ access }) => access.openOnLoopback === true).map(({ url }) => url)
  expect(onLoopback).toEqual(['/metrics'])
})

test('whatever changes something needs operate or publish', () => {
  const reading = routeTable.filter(({ method, access }) => method === 'POST' && access.scope === 'read')
  expect(reading.map(({ url }) => url)).toEqual([
    '/v1/dead-letters/:id/check',
    '/v1/redrives/preview',
    '/v1/replays/preview',
  ])
})
