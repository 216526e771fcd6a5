// What routes of an app become in the route table and in the OpenAPI document.
import { defineEvent } from 'eventspine'
import { httpRoute } from 'eventspine/source'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openApiDocument } from '../openapi/document.js'
import { settingsOf } from '../options.js'
import { checkRoutes, routeTable } from '../route/table.js'
import { appRoutes } from './app-routes.js'

const noted = defineEvent({ type: 'shop.noted', schema: z.unknown() })
const to = () => ({ event: noted, data: 1 })
const at = (path: string) => httpRoute({ name: 'note', path, to })

interface Part {
  readonly [name: string]: unknown
  readonly schemas: Readonly<Record<string, unknown>>
}

function documentOf(...routes: readonly Parameters<typeof appRoutes>[0][number][]) {
  const all = [...routeTable, ...appRoutes(routes, routeTable)]
  checkRoutes(all)
  const document = openApiDocument(all, settingsOf({ development: true }))
  return document as { readonly paths: Record<string, Record<string, Part>>; readonly components: Part }
}

describe('a path', () => {
  it.each([
    '/v1/events',
    '/v1/anything',
    '/healthz',
    '/sources/bank',
    '/replies/note/x',
    '/metrics',
    '/console',
  ])('%s is the server’s', (path) => {
    expect(() => appRoutes([at(path)], routeTable)).toThrow(
      /"note" \(POST \/.*Begin their paths with another/,
    )
  })

  it('beside those of the server is served', () => {
    expect(appRoutes([at('/healthz2'), at('/v1x')], routeTable)).toHaveLength(2)
  })
})

describe('the document', () => {
  interface Category {
    readonly name: string
    readonly below?: Category[] | undefined
  }
  const category: z.ZodType<Category> = z.lazy(() =>
    z.object({ name: z.string(), below: z.array(category).optional() }),
  )
  const route = httpRoute({
    name: 'add-category',
    method: 'PATCH',
    path: '/shop/:shop1/categories',
    query: z.object({ dry: z.enum(['yes', 'no']).describe('Only look'), by: z.string().optional() }),
    body: category,
    access: 'open',
    description: 'Adds a category',
    to,
    reply: {
      event: noted,
      to: () => ({ body: 1 }),
      answers: { 201: z.object({ id: z.int() }), 409: z.string(), 404: null },
    },
  })
  const { paths, components } = documentOf(route)
  const operation = paths['/shop/{shop1}/categories']?.['patch']

  it('has its parameters and its body, in the words of its schemas', () => {
    expect(operation).toMatchObject({
      ...{ operationId: 'route-add-category', summary: 'Adds a category', security: [] },
      parameters: [
        { name: 'shop1', in: 'path', required: true },
        {
          name: 'dry',
          in: 'query',
          required: true,
          description: 'Only look',
          schema: { enum: ['yes', 'no'] },
        },
        { name: 'by', in: 'query', required: false, schema: { type: 'string' } },
      ],
      requestBody: {
        required: true,
        content: { 'application/json': { schema: { $ref: '#/components/schemas/add-category.body' } } },
      },
    })
    const text = JSON.stringify(components.schemas['add-category.body'])
    expect(text).toContain('"name":{"type":"string"}')
    // A reference within it points into the document.
    const [, place = ''] = /"\$ref":"#\/components\/schemas\/([^"]+)"/.exec(text) ?? []
    const found = place
      .split('/')
      .reduce((part: unknown, name) => (part as Record<string, unknown>)[name], components.schemas)
    expect(found).toMatchObject({ type: 'object' })
  })

  it('has its answers beside the problems of the same status, and where its reply is asked for', () => {
    const responses = operation?.['responses'] as Record<string, { readonly content: object }>
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['201', '202', '400', '404', '409', '503']))
    expect(Object.keys(responses['409']?.content ?? {})).toEqual([
      'application/json',
      'application/problem+json',
    ])
    expect(components.schemas['add-category.201']).toMatchObject({ properties: { id: { type: 'integer' } } })
    expect(paths['/replies/add-category/{reply}']?.['get']).toMatchObject({
      ...{ operationId: 'reply-add-category', security: [] },
      responses: { 201: {}, 202: {}, 504: {} },
    })
  })

  it('says of a schema without a form in JSON that it takes anything', () => {
    const dated = httpRoute({ name: 'dated', path: '/shop/dates', body: z.object({ at: z.date() }), to })
    const { components: parts, paths: all } = documentOf(dated)
    expect(parts.schemas['dated.body']).toEqual({})
    expect(all['/shop/dates']?.['post']).toMatchObject({ requestBody: { required: true } })
    expect(Object.keys(all).filter((path) => path.startsWith('/replies'))).toEqual([])
  })
})
