// Workflows: start, look, signal, decide, cancel. A key of one tenant sees its own.
import { EventspineError } from 'eventspine'
import { z } from 'zod'
import { publishedTenant, visible } from '../access/tenancy.js'
import { waitOf, whileWanted } from '../route/prefer.js'
import { defineRoute, type Incoming } from '../route/route.js'
import {
  addressPart,
  identifier,
  instant,
  noPath,
  pageOf,
  pageQuery,
  reasonText,
  tenantName,
  text,
} from '../schema/parts.js'
import { instanceView, workflowDetails } from '../schema/workflow-views.js'
import { emptyPage, found, given, pageAnswer } from './answers.js'

const read = { scope: 'read', tenancy: 'filtered' } as const
const publish = { scope: 'publish', tenancy: 'filtered' } as const
const operate = { scope: 'operate', tenancy: 'filtered' } as const
const tag = 'Workflows'

const workflowName = text(80).describe('Name of the workflow')
const instanceId = addressPart(160).describe('Id of the instance')
const workflowPath = z.strictObject({ workflow: workflowName })
const instancePath = z.strictObject({ workflow: workflowName, id: identifier })
const tenantQuery = z.strictObject({ tenant: tenantName.optional() })

const startedView = z.object({ workflow: z.string(), id: z.string(), tenant: z.string() })
const acceptedView = z.object({ workflow: z.string(), id: z.string(), accepted: z.literal(true) })
const decidedView = acceptedView.extend({ question: z.string() })
const accepted = (workflow: string, id: string) => ({
  status: 202,
  body: { workflow, id, accepted: true as const },
})

const endedView = z.object({ workflow: z.string(), id: z.string(), ended: z.literal(true) })
const retriedView = z.object({ workflow: z.string(), id: z.string(), redrive: z.string() })

// With the tenant where it was asked for: a key of none would look in another.
function startedAnswer({ workflow, id, tenant }: z.infer<typeof startedView>, asked: string | undefined) {
  const place = `/v1/workflows/${encodeURIComponent(workflow)}/${encodeURIComponent(id)}`
  const location = asked === undefined ? place : `${place}?tenant=${encodeURIComponent(asked)}`
  return { status: 202, headers: { location }, body: { workflow, id, tenant } }
}

async function endsWithin(
  handle: { ended(options: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<boolean> },
  seconds: number,
  incoming: Pick<Incoming, 'request' | 'stopping'>,
): Promise<boolean> {
  try {
    return await whileWanted(incoming, (signal) => handle.ended({ timeoutMs: seconds * 1_000, signal }))
  } catch (error) {
    if (error instanceof EventspineError && error.code === 'STOPPED') return false
    throw error
  }
}

const listWorkflows = defineRoute({
  method: 'GET',
  url: '/v1/workflows',
  operationId: 'listWorkflows',
  tag,
  summary: 'List instances of workflows',
  description: 'Newest first.',
  access: read,
  path: noPath,
  query: pageQuery.omit({ cell: true }).extend({
    workflow: workflowName.optional(),
    tenant: tenantName.optional(),
    state: z
      .enum([
        ...['running', 'compensating', 'completed', 'failed', 'compensated', 'cancelled', 'terminated'],
        ...['open', 'needs-attention', 'awaiting-approval'],
      ] as const)
      .describe(
        '`open`: not ended; `needs-attention`: halted by a dead letter; `awaiting-approval`: it waits for the decision of a person',
      )
      .optional(),
    id: text(500).describe('Id of the instance, of whatever workflow').optional(),
    version: z.coerce.number().int().min(1).max(1_000_000).describe('That it began on').optional(),
    startedAfter: instant.optional(),
    startedBefore: instant.optional(),
  }),
  successes: [{ status: 200, description: 'A page of instances', schema: pageOf(instanceView) }],
  problems: [],
  async handle(call) {
    const asked = visible(call.principal, given(call.query))
    if (asked === undefined) return { body: emptyPage }
    return pageAnswer(call, await call.spine.workflows.list(asked))
  },
})

const showWorkflow = defineRoute({
  method: 'GET',
  url: '/v1/workflows/:workflow/:id',
  operationId: 'showWorkflow',
  tag,
  summary: 'Show an instance with its history',
  access: read,
  path: instancePath,
  query: tenantQuery,
  successes: [
    { status: 200, description: 'The instance', schema: workflowDetails },
    {
      ...{
        status: 202,
        description: 'It is to be started, and no worker has taken it up',
        schema: startedView,
      },
      headers: { 'Retry-After': 'Seconds to wait' },
    },
  ],
  problems: ['NOT_FOUND', 'WORKFLOW_UNKNOWN'],
  async handle({ spine, principal, path: { workflow, id }, query }) {
    const asked = visible(principal, given(query))
    const shown = asked === undefined ? null : await spine.workflows.show(workflow, id, given(asked))
    if (asked === undefined || shown !== null) return { body: found(shown, 'instance') }
    if (!(await spine.workflows.isAccepted(workflow, id, given(asked))))
      return { body: found(null, 'instance') }
    const { tenant } = spine.workflows.handle(workflow, id, given(asked))
    return { status: 202, headers: { 'retry-after': '1' }, body: { workflow, id, tenant } }
  },
})

const startWorkflow = defineRoute({
  method: 'POST',
  url: '/v1/workflows/:workflow',
  operationId: 'startWorkflow',
  tag,
  summary: 'Start an instance',
  description:
    'Stores the wish to start it, durably, and answers where to look. The same id twice is one instance; with another input it is refused. With `Prefer: wait=10` (RFC 7240) it answers the instance itself once it has ended, where that is within so many seconds, at most 60; for a key that may read.',
  access: publish,
  path: workflowPath,
  query: tenantQuery,
  body: z.strictObject({ id: instanceId.optional(), input: z.unknown() }),
  successes: [
    { status: 202, description: 'Stored; its place is in Location', schema: startedView },
    { status: 200, description: 'It has ended, within the time of `Prefer`', schema: workflowDetails },
  ],
  problems: [
    'WORKFLOW_UNKNOWN',
    'EVENT_INVALID',
    'IDEMPOTENCY_CONFLICT',
    'TENANT_FORBIDDEN',
    'OVERLOADED',
    'UNKNOWN_OUTCOME',
  ],
  async handle({ spine, principal, path, query, body, request, stopping }) {
    const tenant = publishedTenant(principal, query.tenant, '/query')
    const options = given({ id: body.id, tenant })
    const started = await spine.workflows.start(path.workflow, body.input as never, options)
    const answer = startedAnswer(started, query.tenant)
    // What it answers then is for those alone who may read it.
    const seconds = principal.scopes.includes('read') ? waitOf(request) : 0
    if (seconds === 0) return answer
    const headers = { ...answer.headers, 'preference-applied': `wait=${seconds}` }
    if (!(await endsWithin(started, seconds, { request, stopping }))) return { ...answer, headers }
    const { workflow, id, tenant: own } = started
    return { status: 200, headers, body: await spine.workflows.show(workflow, id, { tenant: own }) }
  },
})

const sendProblems = [
  ...(['NOT_FOUND', 'WORKFLOW_UNKNOWN', 'WORKFLOW_ENDED', 'EVENT_INVALID'] as const),
  ...(['TENANT_FORBIDDEN', 'OVERLOADED', 'UNKNOWN_OUTCOME'] as const),
]
const kept = [{ status: 202, description: 'Stored', schema: acceptedView }]

const signalWorkflow = defineRoute({
  method: 'POST',
  url: '/v1/workflows/:workflow/:id/signal',
  operationId: 'signalWorkflow',
  tag,
  summary: 'Send a signal to an instance',
  description:
    'Kept until the instance asks for it. That of a key that may operate is an act of its actor, and the audit has it; that of a machine, which only publishes, is an event like others.',
  access: { ...publish, orScope: 'operate' },
  path: instancePath,
  query: tenantQuery,
  body: z.strictObject({
    name: text(200),
    payload: z.unknown().optional(),
    reason: reasonText.optional(),
  }),
  successes: kept,
  problems: sendProblems,
  async handle({ spine, principal, path, query, body }) {
    const tenant = publishedTenant(principal, query.tenant, '/query')
    const by = principal.scopes.includes('operate') ? principal.actor : undefined
    const options = given({ tenant, by, reason: body.reason })
    await spine.workflows.signal(path.workflow, path.id, body.name, body.payload, options)
    return accepted(path.workflow, path.id)
  },
})

const approveWorkflow = defineRoute({
  method: 'POST',
  url: '/v1/workflows/:workflow/:id/approve',
  operationId: 'approveWorkflow',
  tag,
  summary: 'Decide what an instance asks',
  description:
    'Who decides is the actor of the API key. Where the name is asked more than once, `question` says which; name it also where a request may be sent twice.',
  access: operate,
  path: instancePath,
  query: tenantQuery,
  body: z.strictObject({
    name: text(200),
    approved: z.boolean(),
    reason: reasonText.optional(),
    question: text(500).optional(),
  }),
  successes: [{ status: 202, description: 'Stored', schema: decidedView }],
  problems: [...sendProblems, 'APPROVAL_NOT_ASKED'],
  async handle({ spine, principal, path, query, body }) {
    const tenant = publishedTenant(principal, query.tenant, '/query')
    const { name, approved, reason, question } = body
    const decision = { approved, by: principal.actor, ...given({ reason, question }) }
    const decided = await spine.workflows.approve(path.workflow, path.id, name, decision, given({ tenant }))
    const { status, body: answer } = accepted(path.workflow, path.id)
    return { status, body: { ...answer, ...decided } }
  },
})

const cancelWorkflow = defineRoute({
  method: 'POST',
  url: '/v1/workflows/:workflow/:id/cancel',
  operationId: 'cancelWorkflow',
  tag,
  summary: 'Ask an instance to end',
  description:
    'What is under way comes to its end, then all is undone. One that has passed its point of no return goes on, and refuses.',
  access: operate,
  path: instancePath,
  query: tenantQuery,
  body: z.strictObject({ reason: reasonText.optional() }),
  successes: kept,
  problems: [...sendProblems, 'WORKFLOW_PIVOTED'],
  async handle({ spine, principal, path, query, body }) {
    const tenant = publishedTenant(principal, query.tenant, '/query')
    await spine.workflows.cancel(path.workflow, path.id, principal.actor, body.reason, given({ tenant }))
    return accepted(path.workflow, path.id)
  },
})

const terminateWorkflow = defineRoute({
  method: 'POST',
  url: '/v1/workflows/:workflow/:id/terminate',
  operationId: 'terminateWorkflow',
  tag,
  summary: 'End an instance where it stands',
  description: 'Nothing is undone. Its children are cancelled. For what cancelling does not reach.',
  access: { ...operate, scope: 'admin' },
  path: instancePath,
  query: tenantQuery,
  body: z.strictObject({ reason: reasonText.optional() }),
  successes: [{ status: 200, description: 'It has ended', schema: endedView }],
  problems: [...sendProblems, 'UNAVAILABLE'],
  async handle({ spine, principal, path, query, body }) {
    const tenant = publishedTenant(principal, query.tenant, '/query')
    await spine.workflows.terminate(path.workflow, path.id, principal.actor, body.reason, given({ tenant }))
    return { body: { workflow: path.workflow, id: path.id, ended: true as const } }
  },
})

const retryWorkflow = defineRoute({
  method: 'POST',
  url: '/v1/workflows/:workflow/:id/retry',
  operationId: 'retryWorkflow',
  tag,
  summary: 'Send again what halts an instance',
  access: operate,
  path: instancePath,
  query: tenantQuery,
  body: z.strictObject({ reason: reasonText.optional() }),
  successes: [{ status: 202, description: 'The redrive that does it', schema: retriedView }],
  problems: [...sendProblems, 'WORKFLOW_NOT_HALTED'],
  async handle({ spine, principal, path, query, body }) {
    const tenant = publishedTenant(principal, query.tenant, '/query')
    const options = given({ tenant, reason: body.reason })
    const { id } = await spine.workflows.retry(path.workflow, path.id, principal.actor, options)
    return { status: 202, body: { workflow: path.workflow, id: path.id, redrive: id } }
  },
})

const restartWorkflow = defineRoute({
  method: 'POST',
  url: '/v1/workflows/:workflow/:id/restart',
  operationId: 'restartWorkflow',
  tag,
  summary: 'Start another instance from a step of one that has ended',
  description:
    'On the newest version of the workflow, with the same input and all that this one did before the step; without a step, from the beginning.',
  access: operate,
  path: instancePath,
  query: tenantQuery,
  body: z.strictObject({
    from: text(200).describe('Name of the step, or its place in the history').optional(),
    as: instanceId.describe('Id of the new instance').optional(),
    reason: reasonText.optional(),
  }),
  successes: [{ status: 202, description: 'Stored; its place is in Location', schema: startedView }],
  problems: [...sendProblems, 'WORKFLOW_RUNNING', 'IDEMPOTENCY_CONFLICT'],
  async handle({ spine, principal, path, query, body }) {
    const tenant = publishedTenant(principal, query.tenant, '/query')
    const options = given({ from: body.from, as: body.as, reason: body.reason, tenant })
    return startedAnswer(
      await spine.workflows.restart(path.workflow, path.id, principal.actor, options),
      query.tenant,
    )
  },
})

export const workflowRoutes = [
  listWorkflows,
  startWorkflow,
  showWorkflow,
  signalWorkflow,
  approveWorkflow,
  cancelWorkflow,
  terminateWorkflow,
  retryWorkflow,
  restartWorkflow,
]
