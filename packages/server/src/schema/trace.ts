// A trace as the API shows it: all that came of one correlation.
import { z } from 'zod'
import { categoryView, deliveryView, runView } from './views.js'
import { entryView, instanceView } from './workflow-views.js'

const milliseconds = z.number().describe('Milliseconds since 1970')

const attemptView = runView.pick({ round: true, attempt: true, worker: true, outcome: true }).extend({
  startedAtMs: milliseconds.describe('Milliseconds since 1970, by the clock of its worker'),
  endedAtMs: milliseconds,
  waitedMs: z
    .number()
    .min(0)
    .describe('Since the attempt before it ended; of the first, since the event was recorded'),
  category: categoryView.nullable().describe('Of its failure'),
  message: z.string().nullable(),
})

export const traceView = z.object({
  correlationId: z.string(),
  events: z
    .array(
      z.object({
        id: z.string(),
        tenant: z.string(),
        type: z.string(),
        version: z.number().int(),
        key: z.string().nullable(),
        source: z.string(),
        causationId: z.string().nullable().describe('Id of the event whose handler published it'),
        recordedAt: z.iso.datetime(),
        publisher: z
          .string()
          .nullable()
          .describe('The subscription that published it, told from its cause; null where several may have'),
        deliveries: z.array(
          deliveryView
            .pick({ id: true, subscription: true, replay: true, state: true, dueAtMs: true, wait: true })
            .extend({ attempts: z.array(attemptView).describe('Oldest first') }),
        ),
        workflows: z
          .array(
            instanceView.pick({ id: true, workflow: true, version: true, state: true }).extend({
              startedAtMs: milliseconds,
              endedAtMs: milliseconds.nullable(),
              entries: z.array(entryView.omit({ data: true })),
            }),
          )
          .describe(
            "Instances that it started: it is the engine's own event, behind the one that a workflow is on",
          ),
      }),
    )
    .describe('In the order of the log'),
  spans: z
    .number()
    .int()
    .describe('Events, attempts, deliveries without one, and entries of workflows, together'),
  truncated: z.boolean().describe('There is more: the event asked for and the oldest ones are here'),
})

export const namedTraceViews = { Trace: traceView } as const
