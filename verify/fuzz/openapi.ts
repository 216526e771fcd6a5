// The server's own OpenAPI document, as far as requests are made from it and answers held against it.
import type { Schema, Schemas } from './schema/check.js'

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly schema: Schema
}

export interface Operation {
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With `{name}` for parameters. */
  readonly path: string
  readonly scope: 'open' | 'publish' | 'read' | 'operate' | 'admin'
  readonly tenancy: 'filtered' | 'system' | 'none'
  /** Whatever stands in its query is nothing to it. */
  readonly anyQuery: boolean
  readonly parameters: readonly Parameter[]
  /** Schemas of the body by media type. */
  readonly bodies: ReadonlyMap<string, Schema>
  /** By status: media types with the schema of what is sent. */
  readonly answers: ReadonlyMap<number, ReadonlyMap<string, Schema>>
}

export interface Description {
  readonly operations: readonly Operation[]
  readonly schemas: Schemas
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>
}

interface RawOperation {
  readonly operationId: string
  readonly 'x-scope': Operation['scope']
  readonly 'x-tenancy': Operation['tenancy']
  readonly 'x-query'?: 'any'
  readonly parameters: readonly Parameter[]
  readonly requestBody?: Content
  readonly responses: Readonly<Record<string, Content>>
}

interface RawDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>
  readonly components: { readonly schemas: Schemas }
}

export async function readDescription(url: string): Promise<Description> {
  const response = await fetch(new URL('/openapi.json', url))
  const document = (await response.json()) as RawDocument
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, raw]) => operationOf(path, method, raw)),
  )
  if (operations.length === 0) throw new Error('The OpenAPI document names no operation')
  return { operations, schemas: document.components.schemas }
}

function operationOf(path: string, method: string, raw: RawOperation): Operation {
  const answers = Object.entries(raw.responses).map(
    ([status, answer]) => [Number(status), contents(answer)] as const,
  )
  return {
    id: raw.operationId,
    method: method.toUpperCase() as Operation['method'],
    path,
    scope: raw['x-scope'],
    tenancy: raw['x-tenancy'],
    anyQuery: raw['x-query'] === 'any',
    parameters: raw.parameters,
    bodies: contents(raw.requestBody),
    answers: new Map(answers),
  }
}

function contents(part: Content | undefined): ReadonlyMap<string, Schema> {
  return new Map(Object.entries(part?.content ?? {}).map(([type, { schema }]) => [type, schema]))
}
