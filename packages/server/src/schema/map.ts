// The map of a system as the API shows it.
import { z } from 'zod'

const milliseconds = z.number().describe('Milliseconds since 1970')

export const mapView = z.object({
  app: z.string().describe('Whose server answers'),
  nodes: z.array(
    z.object({
      id: z.string().describe('Kind and name, such as event:orders.order-placed'),
      kind: z.enum(['source', 'event', 'subscription', 'workflow', 'schedule', 'reconciler', 'webhook']),
      name: z.string(),
      context: z.string().nullable().describe('Of an event: its type up to the first dot'),
      versions: z.array(z.number().int()).describe('Of an event: those that are defined or were seen'),
      app: z
        .string()
        .nullable()
        .describe('That defines it, of those on the log. null of an event, and of what is only seen'),
      declared: z.boolean().describe('An app on the log defines it'),
      seen: z.boolean().describe('An event that was looked at tells of it'),
      paused: z.array(z.string()).describe('Of its subscriptions, those that are paused'),
      openBreakers: z
        .array(z.string())
        .describe('Breakers of its subscriptions that are open, or probe: for all, or for a tenant or a key'),
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
          'An app says so. null where nobody says it, as what handlers and clients publish: that is only seen',
        ),
      seen: z.boolean().describe('An event that was looked at went this way'),
      perSecond: z.number().min(0).describe('Events over the time that was looked at of their type'),
      subscriptions: z.array(z.string()).describe('That take the type, of what it leads to'),
      takenPerSecond: z
        .number()
        .min(0)
        .nullable()
        .describe(
          'What those subscriptions complete a second now, of all their types. null where it leads to none, and until two readings tell it',
        ),
      lagSeconds: z.number().min(0).nullable().describe('Of what it leads to, where that has subscriptions'),
      dead: z.number().int().nullable().describe('Dead letters of what it leads to'),
    }),
  ),
  sample: z
    .object({
      events: z.number().int().max(1_000).describe('The newest of the log'),
      fromMs: milliseconds.nullable(),
      toMs: milliseconds,
      types: z
        .number()
        .int()
        .describe('Types that are rare among those: of each its own newest were looked at'),
      typeEventsMax: z.number().int().describe('Of each of those types at most'),
      typesLeft: z
        .number()
        .int()
        .describe(
          'Types that were too many to be asked for: seen only as far as they are among the newest of the log',
        ),
    })
    .describe('What was looked at'),
})

export const namedMapViews = { SystemMap: mapView } as const
