// Schedules and reconcilers: how far each has come, and one run by hand. A key of one tenant sees its own.
import { z } from 'zod'
import { sees } from '../access/tenancy.js'
import { Problem } from '../problem/problem.js'
import { defineRoute } from '../route/route.js'
import { noPath, noQuery, reasonText, tenantName, text } from '../schema/parts.js'
import { deliveryView } from '../schema/views.js'
import { given } from './answers.js'

const tag = 'Schedules'
const milliseconds = z.number().describe('Milliseconds since 1970')

export const scheduleView = z.object({
  name: z.string(),
  kind: z.enum(['schedule', 'reconciler']),
  cron: z.string(),
  timeZone: z.string(),
  tenant: z.string(),
  missed: z.enum(['skip', 'once', 'all']).describe('What becomes of ticks that nobody took within a minute'),
  event: z.string().nullable().describe('Type of what each tick publishes; null for a reconciler'),
  description: z.string().nullable(),
  tickedAtMs: milliseconds.nullable().describe('All ticks up to then are dealt with'),
  nextAtMs: milliseconds.nullable().describe('The first tick that is not'),
  lateMs: z.number().describe('How long that one is due: over a minute means that no process follows it'),
  subscription: z.string().describe('Whose deliveries its runs are'),
  last: z
    .object({
      event: z.string().describe('Id of the event that says so'),
      atMs: milliseconds.describe('When it was due'),
      by: z.string().nullable().describe('Who had it run; null where it was its time'),
      state: deliveryView.shape.state.describe('How its delivery stands'),
    })
    .nullable()
    .describe('The newest run that the log still has, by its ticks or by hand; null before the first'),
})

const listSchedules = defineRoute({
  method: 'GET',
  url: '/v1/schedules',
  operationId: 'listSchedules',
  tag,
  summary: 'List schedules and reconcilers',
  description: 'All that the app defines, by name.',
  access: { scope: 'read', tenancy: 'filtered' },
  path: noPath,
  query: z.strictObject({ tenant: tenantName.optional() }),
  successes: [
    { status: 200, description: 'All of them', schema: z.object({ schedules: z.array(scheduleView) }) },
  ],
  problems: [],
  async handle({ spine, principal, query }) {
    if (query.tenant !== undefined && !sees(principal, query.tenant)) return { body: { schedules: [] } }
    const tenant = principal.tenant ?? query.tenant
    return { body: { schedules: await spine.schedules.list(given({ tenant })) } }
  },
})

const runSchedule = defineRoute({
  method: 'POST',
  url: '/v1/schedules/:schedule/run',
  operationId: 'runSchedule',
  tag,
  summary: 'Have a schedule run now',
  description: 'Once, beside its ticks. The event of it names the actor of the API key.',
  access: { scope: 'operate', tenancy: 'filtered' },
  path: z.strictObject({ schedule: text(100).describe('Name of the schedule or reconciler') }),
  query: noQuery,
  body: z.strictObject({ reason: reasonText.optional() }),
  successes: [
    { status: 202, description: 'Stored', schema: z.object({ schedule: z.string(), event: z.string() }) },
  ],
  problems: ['NOT_FOUND', 'OVERLOADED', 'UNKNOWN_OUTCOME'],
  async handle({ spine, principal, path, body }) {
    const { schedule } = path
    const tenant = spine.schedules.tenantOf(schedule)
    if (tenant === undefined || !sees(principal, tenant))
      throw new Problem('NOT_FOUND', `There is no schedule "${schedule}" that this key may see.`)
    const { id } = await spine.schedules.run(schedule, principal.actor, body.reason)
    return { status: 202, body: { schedule, event: id } }
  },
})

export const scheduleRoutes = [listSchedules, runSchedule]
