// CloudEvents 1.0 in JSON, for the OpenAPI document. They are read by publish/cloud-event.ts, which names every fault.
import { z } from 'zod'

export const cloudEventBody = z
  .looseObject({
    specversion: z.literal('1.0'),
    id: z.string().describe('Makes repeats one event, together with source'),
    source: z.string().describe('URI reference of the producer'),
    type: z.string().describe('Type of a defined event'),
    subject: z.string().optional(),
    time: z.iso.datetime({ offset: true }).optional(),
    datacontenttype: z.string().optional().describe('JSON only'),
    dataschema: z.string().optional().describe('Kept, decides nothing'),
    // `data_base64` may stand in its place, if datacontenttype says JSON: a schema that says so is read by few tools.
    data: z.unknown().optional().describe('Fits the schema of the definition. Default: null'),
    version: z
      .union([z.int().min(1), z.string()])
      .optional()
      .describe('Version of the definition. Default: the newest'),
    tenant: z.string().optional(),
    partitionkey: z.string().optional().describe('Ordering scope'),
    traceparent: z.string().optional(),
    correlationid: z.string().optional(),
    causationid: z.string().optional(),
  })
  .describe('A CloudEvent 1.0; further attributes are kept as extensions')

export const cloudEventBatchBody = z.array(cloudEventBody).min(1).max(100)
