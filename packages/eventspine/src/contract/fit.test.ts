// Soundness: where no misfit is found, whatever one schema allows is taken by the other, asked of zod itself. And a table of
// what people change about their events, with what is said of it.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineEvent } from '../event/index.js'
import { misfits } from './fit.js'
import { contractOf, type JsonSchemaObject } from './json-schema.js'

const inJson = (schema: z.ZodType): JsonSchemaObject =>
  contractOf(defineEvent({ type: 'a.b', schema })).schema as JsonSchemaObject
const said = (written: z.ZodType, read: z.ZodType) =>
  misfits(inJson(written), inJson(read)).map(({ path, message }) => `${path} ${message}`)

/** A schema, and what may be written under it. */
interface Case {
  readonly schema: z.ZodType
  readonly data: fc.Arbitrary<unknown>
}

let ids = 0
const bound = fc.integer({ min: 0, max: 3 })
const texts: fc.Arbitrary<Case> = fc.tuple(bound, bound).map(([min, more]) => ({
  schema: z
    .string()
    .min(min)
    .max(min + more),
  data: fc.string({ minLength: min, maxLength: min + more, unit: 'grapheme-ascii' }),
}))
const numbers: fc.Arbitrary<Case> = fc.tuple(bound, bound, fc.boolean()).map(([min, more, whole]) => ({
  schema: (whole ? z.int() : z.number()).min(min).max(min + more),
  data: whole ? fc.integer({ min, max: min + more }) : fc.double({ min, max: min + more, noNaN: true }),
}))
const listedValues: fc.Arbitrary<Case> = fc
  .subarray(['a', 'b', 'c', 'd'], { minLength: 1 })
  .map((values) => ({ schema: z.enum(values), data: fc.constantFrom(...values) }))
const plain: fc.Arbitrary<Case> = fc.constantFrom(
  { schema: z.boolean(), data: fc.boolean() },
  { schema: z.null(), data: fc.constant(null) },
  { schema: z.literal(['a', 1, true]), data: fc.constantFrom('a', 1, true) },
  { schema: z.unknown(), data: fc.json().map((json): unknown => JSON.parse(json)) },
)

/** References, intersections, unions by a tag, names by a pattern. */
function combined(inner: fc.Arbitrary<Case>, object: fc.Arbitrary<Case>): fc.Arbitrary<Case>[] {
  const named = inner.map(
    ({ schema, data }): Case => ({ schema: schema.meta({ id: `S${++ids}`, description: 'named' }), data }),
  )
  const refined = bound.map((min): Case => {
    const code = z.string().meta({ id: `S${++ids}` })
    return { schema: code.min(min), data: fc.string({ minLength: min, unit: 'grapheme-ascii' }) }
  })
  const other = fc.tuple(inner, inner).map(
    ([x, y]): Case => ({
      schema: z.union([z.object({ x: x.schema }), z.object({ y: y.schema })]).describe('either'),
      data: fc.oneof(fc.record({ x: x.data }), fc.record({ y: y.data })),
    }),
  )
  const joined = fc.tuple(object, other, fc.boolean()).map(([one, more, described]): Case => {
    const first = described ? one.schema.describe('first') : one.schema
    const data = fc.tuple(one.data, more.data).map(([a, b]) => ({ ...(a as object), ...(b as object) }))
    return { schema: z.intersection(first, more.schema), data }
  })
  const kinds = fc.tuple(object, object).map(([one, more]): Case => {
    const tagged = (kind: string, { schema }: Case) => z.object({ kind: z.literal(kind), value: schema })
    return {
      schema: z.discriminatedUnion('kind', [tagged('one', one), tagged('more', more)]),
      data: fc.oneof(
        fc.record({ kind: fc.constant('one'), value: one.data }),
        fc.record({ kind: fc.constant('more'), value: more.data }),
      ),
    }
  })
  const patterned = inner.map(
    ({ schema, data }): Case => ({
      schema: z.looseRecord(z.string().regex(/^[ax]/), schema),
      data: fc.dictionary(fc.constantFrom('a', 'x'), data, { noNullPrototype: true }),
    }),
  )
  return [named, refined, joined, kinds, patterned]
}

const { any } = fc.letrec<{ any: Case }>((tie) => {
  const list = fc.tuple(tie('any'), bound, bound).map(
    ([{ schema, data }, min, more]): Case => ({
      schema: z
        .array(schema)
        .min(min)
        .max(min + more),
      data: fc.array(data, { minLength: min, maxLength: min + more }),
    }),
  )
  const member = fc.record({ of: tie('any'), kind: fc.constantFrom('needed', 'optional', 'default') })
  const object = fc
    .tuple(fc.dictionary(fc.constantFrom('a', 'b', 'c'), member, { noNullPrototype: true }), fc.boolean())
    .map(([members, strict]): Case => {
      const shape = Object.entries(members).map(([name, { of, kind }]) => {
        if (kind === 'needed') return [name, of.schema] as const
        return [name, kind === 'optional' ? of.schema.optional() : of.schema.default(null)] as const
      })
      const data = Object.fromEntries(Object.entries(members).map(([name, { of }]) => [name, of.data]))
      const requiredKeys = Object.keys(members).filter((name) => members[name]?.kind === 'needed')
      const all = Object.fromEntries(shape)
      return { schema: strict ? z.strictObject(all) : z.object(all), data: fc.record(data, { requiredKeys }) }
    })
  const record = tie('any').map(
    ({ schema, data }): Case => ({
      schema: z.record(z.string(), schema),
      data: fc.dictionary(fc.constantFrom('a', 'b', 'x'), data, { noNullPrototype: true }),
    }),
  )
  const either = fc.tuple(tie('any'), tie('any')).map(
    ([one, other]): Case => ({
      schema: z.union([one.schema, other.schema]),
      data: fc.oneof(one.data, other.data),
    }),
  )
  const nullable = tie('any').map(
    ({ schema, data }): Case => ({ schema: schema.nullable(), data: fc.option(data) }),
  )
  return {
    any: fc.oneof(
      // Each kind within each other, and that within a third: deeper ones took twice the time (8 s of a core) to say the same.
      { depthSize: 'small', maxDepth: 3, withCrossShrink: true },
      ...[texts, numbers, listedValues, plain],
      ...[list, object, record, either, nullable, object],
      ...combined(tie('any'), object),
    ),
  }
})

describe('whether what is written can be read', () => {
  it('is never said of data that the reader refuses', () => {
    let fitting = 0
    fc.assert(
      fc.property(any, any, fc.gen(), (written, read, gen) => {
        if (said(written.schema, read.schema).length > 0) return
        fitting++
        for (let times = 0; times < 5; times++) {
          const data = gen(() => written.data)
          const { error } = read.schema.safeParse(data)
          expect(
            error && {
              issues: error.issues,
              data,
              written: inJson(written.schema),
              read: inJson(read.schema),
            },
          ).toBeUndefined()
        }
      }),
      { numRuns: 400 },
    )
    expect(fitting).toBeGreaterThan(10)
  })

  it('is said of a schema and itself', () => {
    fc.assert(
      fc.property(any, ({ schema }) => {
        expect(said(schema, schema)).toEqual([])
      }),
      { numRuns: 400 },
    )
  })

  const order = z.object({ id: z.string(), total: z.number().min(0), note: z.string().optional() })
  it.each<readonly [string, z.ZodType, z.ZodType, readonly string[]]>([
    ['a new optional field', order, order.extend({ gift: z.boolean().optional() }), []],
    ['a new field with a default', order, order.extend({ gift: z.boolean().default(false) }), []],
    ['a field less', order, order.omit({ total: true }), []],
    [
      'a new field',
      order,
      order.extend({ gift: z.boolean() }),
      ['/gift may be missing, and the reader needs it'],
    ],
    [
      'an optional field that is needed now',
      order,
      order.required({ note: true }),
      ['/note may be missing, and the reader needs it'],
    ],
    [
      'another type',
      order,
      order.extend({ id: z.int() }),
      ['/id may be "string", which the reader does not take (it takes "integer")'],
    ],
    [
      'a tighter bound',
      order,
      order.extend({ total: z.number().positive() }),
      ['/total may be below 0, which is the reader\'s "exclusiveMinimum"'],
    ],
    [
      'fewer values',
      z.object({ a: z.enum(['x', 'y', 'z']) }),
      z.object({ a: z.enum(['x']) }),
      ['/a may be "y", "z", which the reader does not take'],
    ],
    [
      'values instead of any text',
      order,
      order.extend({ id: z.enum(['x']) }),
      ['/id may be other than "x", which is all the reader takes'],
    ],
    ['more values', z.enum(['x']), z.enum(['x', 'y']), []],
    [
      'null where none was',
      order.extend({ total: z.number().min(0).nullable() }),
      order,
      ['/total may be "null", which the reader does not take (it takes "number")'],
    ],
    [
      'a field that a strict reader does not know',
      order,
      z.strictObject({ id: z.string(), total: z.number() }),
      ['/note is not known to the reader, which refuses such'],
    ],
    [
      'another format',
      z.object({ at: z.string() }),
      z.object({ at: z.iso.datetime() }),
      ['/at may not fit the reader\'s "pattern"', '/at may not fit the reader\'s "format"'],
    ],
    [
      'elements',
      z.array(z.int()),
      z.array(z.string()),
      ['/* may be "integer", which the reader does not take (it takes "string")'],
    ],
    [
      'bounds of a number',
      z.number().min(1).max(9),
      z.number().min(2).max(8),
      [
        '/ may be below 2, which is the reader\'s "minimum"',
        '/ may be above 8, which is the reader\'s "maximum"',
      ],
    ],
    [
      'bounds of a text',
      z.string().min(1).max(9),
      z.string().min(2).max(8),
      [
        '/ may be shorter than 2, which is the reader\'s "minLength"',
        '/ may be longer than 8, which is the reader\'s "maxLength"',
      ],
    ],
    [
      'bounds of a list',
      z.array(z.int()).min(1).max(9),
      z.array(z.int()).min(2).max(8),
      [
        '/ may have fewer elements than 2, which is the reader\'s "minItems"',
        '/ may have more elements than 8, which is the reader\'s "maxItems"',
      ],
    ],
    ['a whole number where any was taken', z.int(), z.number(), []],
  ])('%s', (_, written, read, expected) => {
    expect(said(written, read)).toEqual(expected)
  })

  it.each<readonly [string, z.ZodType, z.ZodType]>([
    [
      'a union that stands within an intersection',
      z
        .object({ id: z.string() })
        .describe('base')
        .and(z.union([z.object({ n: z.string() }), z.object({ m: z.string() })])),
      z.object({ id: z.string(), n: z.number().optional() }),
    ],
    [
      'what stands beside a reference',
      z.object({ c: z.string().meta({ id: 'CodeOfTest' }) }),
      z.object({ c: z.string().meta({ id: 'OtherCodeOfTest' }).min(5) }),
    ],
    [
      'a choice of which only one may fit',
      z.object({ card: z.string(), iban: z.string() }),
      z.xor([z.object({ card: z.string() }), z.object({ iban: z.string() })]),
    ],
    [
      'a field that both parts of an intersection name',
      z
        .object({ m: z.object({ x: z.string() }) })
        .describe('d')
        .and(z.object({ m: z.object({ y: z.string() }) })),
      z.object({ m: z.object({ x: z.number().optional(), y: z.string() }) }),
    ],
    [
      'names by a pattern',
      z.looseRecord(z.string().regex(/^x-/), z.string()),
      z.object({ 'x-n': z.number().optional() }),
    ],
  ])('sees %s', (_, written, read) => {
    expect(said(written, read)).not.toEqual([])
  })

  it('takes two patterns, and two divisors, as they are', () => {
    for (const schema of [z.string().startsWith('a').endsWith('b'), z.number().multipleOf(2).multipleOf(3)])
      expect(said(z.object({ a: schema }), z.object({ a: schema, b: z.string().optional() }))).toEqual([])
  })

  it('ends for schemas that hold themselves', () => {
    interface Tree {
      readonly name: string
      readonly inner: Tree[]
    }
    const tree: z.ZodType<Tree> = z.lazy(() => z.object({ name: z.string(), inner: z.array(tree) }))
    const other: z.ZodType<Tree> = z.lazy(() => z.object({ name: z.string().min(1), inner: z.array(other) }))
    expect(said(z.object({ tree }), z.object({ tree }))).toEqual([])
    expect(said(z.object({ tree }), z.object({ tree: other }))).toContain(
      '/tree/name may be shorter than 1, which is the reader\'s "minLength"',
    )
  })

  it('names at most 50', () => {
    const many = z.object(Object.fromEntries(Array.from({ length: 80 }, (_, at) => [`f${at}`, z.string()])))
    expect(said(z.object({}), many)).toHaveLength(50)
  })
})
