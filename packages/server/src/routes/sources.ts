// POST /sources/:source: webhooks of others. No key: a message is signed by its sender, which the source checks.
import { EventspineError } from 'eventspine'
import { z } from 'zod'
import { Problem } from '../problem/problem.js'
import { readBody } from '../publish/body.js'
import { defineRoute } from '../route/route.js'
import { noQuery, text } from '../schema/parts.js'

const receipt = z.object({
  outcome: z
    .enum(['published', 'ignored', 'kept'])
    .describe('Events of the app; of no interest; or kept for a person, since it could not become an event'),
  events: z.array(z.object({ id: z.string(), type: z.string(), version: z.number().int() })),
})

/** The source alone knows what it should be. */
const anyBody = z
  .union([
    z.string(),
    z.number(),
    z.boolean(),
    z.null(),
    z.array(z.unknown()),
    z.record(z.string(), z.unknown()),
  ])
  .describe('As its sender writes it')

const takeMessage = defineRoute({
  method: 'POST',
  url: '/sources/:source',
  operationId: 'takeMessage',
  tag: 'Sources',
  summary: 'Take a message of somebody else, such as a webhook',
  description: `For whoever the app has a source for. The signature is that of the sender (Standard Webhooks, Stripe, GitHub …), over the raw
body. 202 is sent after the message is stored for good, as events or, where it cannot become one, as a dead letter of its
source. The sender's id makes repeats one.`,
  access: { scope: 'open', tenancy: 'none' },
  path: z.strictObject({ source: text(80).describe('Name of the source') }),
  query: noQuery,
  rawBody: { '*/*': anyBody },
  successes: [{ status: 202, description: 'Stored, durably', schema: receipt }],
  problems: [
    ...(['SIGNATURE_INVALID', 'NOT_FOUND', 'BODY_TOO_LARGE', 'EVENT_TOO_LARGE'] as const),
    ...(['OVERLOADED', 'UNAVAILABLE', 'UNKNOWN_OUTCOME'] as const),
  ],
  async handle({ spine, request, path, settings, note }) {
    const { bodyBytesMax, discardedBytesMax } = settings.limits
    const body = await readBody(request, { bytesMax: bodyBytesMax, discardedBytesMax }).catch(
      (error: Error) => {
        spine.sources.refused(path.source, error.message)
        throw error
      },
    )
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(', ') : value,
      ]),
    )
    const { outcome, events } = await spine.sources.receive(path.source, { headers, body }).catch(unsigned)
    note({ eventIds: events.map(({ id }) => id) })
    return {
      status: 202,
      body: { outcome, events: events.map(({ id, type, version }) => ({ id, type, version })) },
    }
  },
})

// HTTP asks each 401 to say what would do.
function unsigned(error: unknown): never {
  if (!(error instanceof EventspineError) || error.code !== 'SIGNATURE_INVALID') throw error
  const headers = { 'www-authenticate': 'Webhook-Signature realm="eventspine"' }
  throw new Problem('SIGNATURE_INVALID', error.message, { headers, cause: error })
}

export const sourceRoutes = [takeMessage]
