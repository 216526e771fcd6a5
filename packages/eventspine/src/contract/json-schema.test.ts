// What is registered of an event, and which changes of a schema are none.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineEvent } from '../event/index.js'
import { contractOf } from './json-schema.js'

const fingerprint = (schema: z.ZodType) => contractOf(defineEvent({ type: 'a.b', schema })).fingerprint

describe('the contract of an event', () => {
  it('is what publishers may write, as JSON Schema', () => {
    const schema = z.object({ id: z.string(), gift: z.boolean().default(false) })
    expect(contractOf(defineEvent({ type: 'a.b', version: 3, schema, description: 'Said.' }))).toEqual({
      type: 'a.b',
      version: 3,
      description: 'Said.',
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      schema: expect.objectContaining({ type: 'object', required: ['id'] }),
    })
  })

  it('does not change with what only people read, nor with the order of names', () => {
    const one = z.object({ a: z.string().describe('a name'), b: z.int().optional() })
    const other = z.object({ b: z.int().optional(), a: z.string() }).meta({ title: 'Other' })
    expect(fingerprint(one)).toBe(fingerprint(other))
  })

  it('changes with a field that is named like an annotation, and with listed values', () => {
    expect(fingerprint(z.object({ title: z.string() }))).not.toBe(fingerprint(z.object({})))
    expect(fingerprint(z.enum(['a']))).not.toBe(fingerprint(z.enum(['b'])))
    expect(fingerprint(z.object({ a: z.string() }))).not.toBe(
      fingerprint(z.object({ a: z.string().optional() })),
    )
  })

  it('is unknown where the library cannot say it in JSON Schema', () => {
    expect(contractOf(defineEvent({ type: 'a.b', schema: z.object({ at: z.date() }) }))).toMatchObject({
      schema: null,
      fingerprint: '',
    })
    const bare = {
      '~standard': { version: 1 as const, vendor: 'own', validate: (value: unknown) => ({ value }) },
    }
    expect(contractOf(defineEvent({ type: 'a.b', schema: bare })).schema).toBeNull()
  })
})
