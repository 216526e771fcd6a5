// Instances of workflows as the API shows them.
import { z } from 'zod'
import { failureView } from './views.js'

const milliseconds = z.number().describe('Milliseconds since 1970')

export const instanceView = z.object({
  tenant: z.string(),
  workflow: z.string(),
  id: z.string(),
  version: z.number().int().describe('Of the code that it runs on'),
  state: z.enum(['running', 'compensating', 'completed', 'failed', 'compensated', 'cancelled', 'terminated']),
  entries: z.number().int().describe('Of its history'),
  parent: z
    .object({ workflow: z.string(), id: z.string(), place: z.string() })
    .nullable()
    .describe('Who started it'),
  startedAtMs: milliseconds,
  changedAtMs: milliseconds,
  endedAtMs: milliseconds.nullable(),
  wakeAtMs: milliseconds.nullable().describe('When a timer of it is due'),
  deadlineAtMs: milliseconds.nullable().describe('Null once it passed or the instance ended'),
  attention: z
    .object({
      letter: z.string(),
      message: z.string(),
      diedAtMs: milliseconds,
      retries: z.number().int().describe('So many retries of it have failed again'),
      retry: z
        .object({
          redrive: z.string(),
          state: z.enum(['running', 'failed']),
          by: z.string(),
          atMs: milliseconds,
        })
        .nullable()
        .describe('The last of them, or the one that runs'),
    })
    .nullable()
    .describe('Why it waits for a person: its dead letter'),
  approval: z
    .object({
      name: z.string().describe('Of the approval'),
      question: z.string().describe('Its place in the history: names it in a decision'),
      to: z.string().optional().describe('Its first 200 characters'),
      text: z.string().optional().describe('Its first 200 characters'),
      askedAtMs: milliseconds,
      dueAtMs: milliseconds.nullable().describe('When it waits no more; null for never'),
      open: z.number().int().min(1).describe('How many decisions it waits for'),
    })
    .nullable()
    .describe('The decision of a person that it waits for, the one asked for first'),
})

export const entryView = z.object({
  position: z.number().int(),
  kind: z.string(),
  place: z.string().describe('Which call of its code: `2`, or `4.1/0` in a branch'),
  name: z.string(),
  data: z.unknown().describe('What its kind has to say; null for nothing'),
  atMs: milliseconds,
})

export const workflowDetails = instanceView.extend({
  history: z.array(entryView),
  questions: z
    .array(
      z.object({
        approval: z.string(),
        question: z.string().describe('Its place in the history: names it in a decision'),
        to: z.string().optional(),
        text: z.string().optional(),
        askedAtMs: milliseconds,
        dueAtMs: milliseconds.nullable().describe('When it waits no more; null for never'),
      }),
    )
    .describe('To people, and open'),
  waits: z
    .array(
      z.object({
        kind: z.enum(['signal', 'event']),
        name: z.string().describe('Of the signal; of an event its type'),
        key: z.string().optional().describe('Of an event: the key that it must have'),
        place: z.string().describe('Its place in the history'),
        sinceAtMs: milliseconds,
        dueAtMs: milliseconds.nullable().describe('When it waits no more; null for never'),
      }),
    )
    .describe('Signals and events that it waits for and that did not come yet'),
  output: z.unknown().optional().describe('What it answered'),
  failure: failureView.optional().describe('Why it did not complete'),
})

/** Names under which the OpenAPI document lists them. */
export const namedWorkflowViews = {
  WorkflowInstance: instanceView,
  WorkflowDetails: workflowDetails,
} as const
