// The pages behind approval links. To look decides nothing: mail programs open links by themselves.
import type { ApprovalTicket } from 'eventspine/workflow'
import { z } from 'zod'
import { approvalPage } from '../pages/approval.js'
import { Problem } from '../problem/problem.js'
import { readBody } from '../publish/body.js'
import { mediaType } from '../publish/content-type.js'
import { readValues } from '../route/read.js'
import { type Answer, defineRoute, type Incoming, takesHtml } from '../route/route.js'
import { noQuery, text } from '../schema/parts.js'

const open = { scope: 'open', tenancy: 'none' } as const
const tag = 'Approvals'
const formType = 'application/x-www-form-urlencoded'
const formBytesMax = 16 * 1024

// Lines are a person's own.
const withoutControls = /^[^\u0000-\u0008\u000b-\u001f\u007f]*$/

const linkPath = z.strictObject({ token: text(3_000).describe('The last part of the link') })
const decisionForm = z.strictObject({
  decision: z.enum(['approve', 'refuse']),
  question: text(200).describe(
    'Which question: from the page, so that nobody decides what they have not seen',
  ),
  reason: z.string().max(1_000).regex(withoutControls, 'must not contain control characters').optional(),
})

const page = (status: number, description: string) => ({
  ...{ status, description, schema: z.string(), contentType: 'text/html' },
})

/** Whoever filled in the form has it one step back. */
const problemPage = ({ status, message }: Problem) => approvalPage({ kind: 'refused', status, message })

const successes = [
  page(200, 'How the question stands'),
  page(404, 'Nobody made this link'),
  page(410, 'It has run out'),
]

/** What the link is good for. A browser is shown a page where it is good for nothing, others are refused. */
function ticketOf({ settings, request }: Incoming, token: string): ApprovalTicket | Answer {
  const ticket = settings.approvalLinks.read(token)
  if (ticket !== 'invalid' && ticket !== 'expired') return ticket
  if (takesHtml(request)) return approvalPage({ kind: ticket })
  throw new Problem(
    'NOT_FOUND',
    ticket === 'expired'
      ? 'This link has run out. Ask whoever sent it for a new one.'
      : 'Nobody made this link. Copy the whole of it from the message.',
  )
}

const isAnswer = (either: ApprovalTicket | Answer): either is Answer => 'body' in either

const showApproval = defineRoute({
  method: 'GET',
  url: '/approvals/:token',
  operationId: 'showApproval',
  tag,
  summary: 'A page for whoever is asked: what, by whom, and how it stands',
  description: 'Needs no key: the link is one. Made by `approvalLinks` of `eventspine/workflow`.',
  access: open,
  path: linkPath,
  query: noQuery,
  successes,
  problemPage,
  problems: ['NOT_FOUND', 'UNAVAILABLE'],
  async handle(call) {
    const ticket = ticketOf(call, call.path.token)
    if (isAnswer(ticket)) return ticket
    return approvalPage({ ...(await call.spine.approvals.look(ticket)), ticket })
  },
})

const decideApproval = defineRoute({
  method: 'POST',
  url: '/approvals/:token',
  operationId: 'decideApproval',
  tag,
  summary: 'Decide, as the person whom the link was made for',
  description:
    'A link decides once, and only while it is asked. Answers the page that says how it stands then.',
  access: open,
  path: linkPath,
  query: noQuery,
  rawBody: { [formType]: decisionForm },
  successes,
  problemPage,
  problems: [
    'NOT_FOUND',
    'CONTENT_TYPE_UNSUPPORTED',
    'BODY_TOO_LARGE',
    'OVERLOADED',
    'UNAVAILABLE',
    'UNKNOWN_OUTCOME',
  ],
  async handle(call) {
    const ticket = ticketOf(call, call.path.token)
    if (isAnswer(ticket)) return ticket
    call.note({ tenant: ticket.tenant })
    const { decision, question, reason = '' } = await formOf(call)
    const why = reason.trim() === '' ? {} : { reason: reason.trim() }
    const approved = decision === 'approve'
    return approvalPage({
      ...(await call.spine.approvals.decide(ticket, { approved, question, ...why })),
      ticket,
    })
  },
})

async function formOf({ request, settings }: Incoming): Promise<z.output<typeof decisionForm>> {
  if (mediaType(request.headers['content-type']) !== formType)
    throw new Problem('CONTENT_TYPE_UNSUPPORTED', `This route takes "Content-Type: ${formType}".`, {
      field: '/headers/content-type',
    })
  const { discardedBytesMax } = settings.limits
  const bytes = await readBody(request, { bytesMax: formBytesMax, discardedBytesMax })
  const fields = new URLSearchParams(bytes.toString())
  const repeated = [...fields.keys()].find((name) => fields.getAll(name).length > 1)
  if (repeated !== undefined)
    throw new Problem('REQUEST_INVALID', `The form has "${repeated.slice(0, 100)}" twice. Send it once.`)
  // As the person wrote it: browsers count a line break as one character, and send two.
  const lines = [...fields].map(([name, value]) => [name, value.replaceAll('\r\n', '\n')])
  return readValues(decisionForm, Object.fromEntries(lines), '')
}

export const approvalRoutes = [showApproval, decideApproval]
