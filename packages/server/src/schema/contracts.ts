// Contracts of events as the API shows them.
import { z } from 'zod'

const party = z.object({ name: z.string(), app: z.string() })

export const contractsView = z.object({
  items: z
    .array(
      z.object({
        type: z.string(),
        version: z.number().int(),
        schema: z
          .record(z.string(), z.unknown())
          .nullable()
          .describe('JSON Schema (draft 2020-12) of the data; null where it cannot be told'),
        fingerprint: z.string().describe('Of what decides which data fit. Empty where there is no schema'),
        description: z.string().nullable(),
        app: z.string().describe('That registered it first, or replaced it'),
        registeredAtMs: z.number().describe('Milliseconds since 1970'),
        producers: z
          .array(z.string())
          .describe('Nodes of the map from which an event of the type came lately: see GET /v1/map'),
        consumers: z.array(
          party.extend({
            reads: z.number().int().nullable().describe('The newest version that its app knows'),
          }),
        ),
      }),
    )
    .describe('By type and version'),
  findings: z
    .array(
      z.object({
        severity: z.enum(['breaking', 'notice']),
        kind: z.enum(['changed', 'no-upcast', 'consumer', 'older', 'removed', 'unknown-schema']),
        type: z.string(),
        version: z.number().int(),
        consumer: party.nullable().describe('The subscription that would break'),
        message: z.string(),
        misfits: z.array(z.object({ path: z.string(), message: z.string() })),
      }),
    )
    .describe('What `eventspine contracts check` says of the app that this server runs'),
})

export const namedContractViews = { Contracts: contractsView } as const
