// A document of AsyncAPI as a tool would read it: judged by the schema that the project publishes (@asyncapi/specs, Apache-2.0), its
// references followed, and its payloads judged by the meta-schema of JSON Schema, which AsyncAPI leaves to others.
import specs from '@asyncapi/specs'
import { Ajv } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { App } from 'eventspine'
import { freshSchema, running } from './spine.js'

export type Document = Awaited<ReturnType<typeof exported>>

/** It brings the meta-schema of JSON Schema with it. Formats are notes for people here: what is asked is the shape. */
const lenient = { strict: false, validateFormats: false }
const judge = new Ajv({ ...lenient, allErrors: true, meta: false, validateSchema: false }).compile(
  specs.schemas['3.0.0'] as object,
)
const schemas = new Ajv2020(lenient)

/** What `contracts export --asyncapi` writes of an app that has started. */
export async function exported(app: App) {
  // Started, it has registered what it publishes and what it reads. What its sources would connect to is not there.
  const spine = await running(app, freshSchema(), { sources: false })
  // As it is written into the file.
  return JSON.parse(JSON.stringify(await spine.operator().contracts.asyncApi())) as {
    readonly channels: Readonly<Record<string, unknown>>
    readonly operations: Readonly<Record<string, unknown>>
    readonly components: {
      readonly messages: Readonly<Record<string, { readonly payload?: { readonly schema: object } }>>
    }
  }
}

/** Its faults; none for a document that any tool can read. */
export function faultsOf(document: Document): readonly string[] {
  judge(document)
  const broken = referencesOf(document).filter((reference) => resolved(document, reference) === undefined)
  // AsyncAPI leaves payloads of another schema format to who knows it.
  const wrong = Object.entries(document.components.messages).flatMap(([name, { payload }]) =>
    payload === undefined || schemas.validateSchema(payload.schema) ? [] : [`${name} is no JSON Schema`],
  )
  return [
    ...(judge.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`),
    ...broken.map((reference) => `${reference} leads nowhere`),
    ...wrong,
  ]
}

/** Where it refers to. */
export function referencesOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    name === '$ref' && typeof inner === 'string' ? [inner] : referencesOf(inner),
  )
}

function resolved(document: unknown, reference: string): unknown {
  let value = document
  for (const part of reference.replace(/^#\/?/, '').split('/'))
    value = Object(value)[part.replaceAll('~1', '/').replaceAll('~0', '~')]
  return value
}
