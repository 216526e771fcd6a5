// A decision by a link: taken where the question is open, once, and by nobody twice.
import { createHash } from 'node:crypto'
import { fingerprintOf } from '../event/index.js'
import { type Clock, EventspineError, type Random } from '../kernel/index.js'
import { type ApprovalStanding, type Decided, standingOf, stimulus } from '../workflow/index.js'
import type { ApprovalTicket } from './approval-links.js'
import type { Cell } from './cell.js'

export interface ApprovalsServices {
  readonly clock: Clock
  readonly random: Random
  cellOf(tenant: string): Cell
}

/** So long it is waited for until the workflow has taken it. */
const takenMsMax = 2_000
const lookAgainMs = 50
const reasonMax = 1_000

export class Approvals {
  readonly #services: ApprovalsServices

  constructor(services: ApprovalsServices) {
    this.#services = services
  }

  /** How the question stands that a link is for. Once the link was used: what became of that decision. Throws
   *  UNAVAILABLE. */
  async look(ticket: ApprovalTicket): Promise<ApprovalStanding> {
    return (await this.#seen(ticket)).standing
  }

  /** Decides `question` as the person whom the link was made for, where it is asked now; a link decides once. Answers how it
   *  stands then: `stored` when the workflow has not come to the decision yet. Throws REQUEST_INVALID, OVERLOADED,
   *  UNAVAILABLE, UNKNOWN_OUTCOME. */
  async decide(
    ticket: ApprovalTicket,
    { approved, reason, question }: LinkDecision,
  ): Promise<ApprovalStanding | { readonly kind: 'stored' }> {
    if (typeof approved !== 'boolean') throw refused('/approved', '"approved" is true or false')
    if (reason !== undefined && !isReason(reason))
      throw refused('/reason', `"reason" is a text of at most ${reasonMax} characters`)
    const { standing } = await this.#seen(ticket)
    // What was looked at may be decided by now, and another question be asked.
    if (standing.kind !== 'asks' || standing.question !== question) return standing
    const { clock } = this.#services
    const { by, approval, tenant } = ticket
    const payload = { approved, by, reason: reason ?? null, atMs: clock.now() }
    const data = { name: approval, payload, approval: true, link: question } as const
    const made = stimulus(ticket, 'signalled', data, undefined, this.#services)
    const id = decisionId(ticket)
    const event = { ...made, id, correlationId: id }
    // A second click is the same decision, though it is made later.
    const same = { ...event, data: JSON.stringify({ approved, reason: reason ?? null }) }
    const { appender } = this.#services.cellOf(tenant)
    // Another decision by the same link is none: the first stands, and is shown.
    await appender.append({ ...event, fingerprint: fingerprintOf(same) })
    return await this.#taken(ticket)
  }

  async #taken(ticket: ApprovalTicket): Promise<ApprovalStanding | { readonly kind: 'stored' }> {
    const { clock } = this.#services
    const until = clock.monotonic() + takenMsMax
    for (let pauseMs = lookAgainMs; ; pauseMs *= 2) {
      const { standing, used } = await this.#seen(ticket)
      if (used) return standing
      if (clock.monotonic() >= until) return { kind: 'stored' }
      await clock.sleep(pauseMs)
    }
  }

  async #seen(
    ticket: ApprovalTicket,
  ): Promise<{ readonly standing: ApprovalStanding; readonly used: boolean }> {
    const found = await this.#services.cellOf(ticket.tenant).store.workflow(ticket)
    if (found === null) return { standing: { kind: 'not-asked' }, used: false }
    const own = decisionId(ticket)
    const decision = found.history.find(
      ({ kind, data }) => kind === 'signal' && decisionOf(data).event === own,
    )
    if (decision === undefined) return { standing: standingOf(found.history, ticket.approval), used: false }
    const { dropped, payload } = decisionOf(decision.data)
    return { standing: dropped === true ? { kind: 'over' } : { kind: 'decided', ...payload }, used: true }
  }
}

export interface LinkDecision {
  readonly approved: boolean
  readonly reason?: string
  /** `question` of what `look` answered: nobody decides what they have not seen. */
  readonly question: string
}

// Lines are a person's own; other control characters are nobody's.
const isReason = (text: string) =>
  text.length <= reasonMax && text.isWellFormed() && !/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text)

/** Of the event: the same for whoever has the same link. */
function decisionId({ tenant, workflow, id, approval, by, untilMs }: ApprovalTicket): string {
  const ticket = JSON.stringify([tenant, workflow, id, approval, by, untilMs])
  return `approve ${createHash('sha256').update(ticket).digest('base64url')}`
}

interface Recorded {
  readonly event?: string
  readonly dropped?: true
  readonly payload: Decided
}

const decisionOf = (data: string | null) => JSON.parse(data ?? '{}') as Recorded

const refused = (field: string, message: string) =>
  new EventspineError('REQUEST_INVALID', `${message}.`, { field })
