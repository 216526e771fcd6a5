// The map of a system as the API shows it.
import { z } from 'zod'

const milliseconds = z.number().describe('Milliseconds since 1970')

export const mapView = z.object({
  nodes: z.array(
    z.object({
      id: z.string().describe('Kind and name, such as event:orders.order-placed'),
      kind: z.enum(['source', 'event', 'subscription', 'workflow', 'schedule', 'reconciler', 'webhook']),
      name: z.string(),
      context: z.string().nullable().describe('Of an event: its type up to the first dot'),
      versions: z.array(z.number().int()).describe('Of an event: those that are defined or were seen'),
      declared: z.boolean().describe('The app defines it'),
      seen: z.boolean().describe('An event of the sample tells of it'),
    }),
  ),
  edges: z.array(
    z.object({
      from: z.string(),
      to: z.string(),
      declared: z
        .boolean()
        .nullable()
        .describe(
          'The app says so. null where nobody says it, as what handlers and clients publish: that is only seen',
        ),
      seen: z.boolean().describe('An event of the sample went this way'),
      perSecond: z.number().min(0).describe('Events over the time of the sample'),
      lagSeconds: z.number().min(0).nullable().describe('Of what it leads to, where that has subscriptions'),
      dead: z.number().int().nullable().describe('Dead letters of what it leads to'),
    }),
  ),
  sample: z
    .object({ events: z.number().int().max(1_000), fromMs: milliseconds.nullable(), toMs: milliseconds })
    .describe('The newest events of the log, which is what was looked at'),
})

export const namedMapViews = { SystemMap: mapView } as const
