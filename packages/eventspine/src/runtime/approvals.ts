// Decisions of people, each for one question: taken while that is open, once, and by nobody twice.

import { createHash } from 'node:crypto'
import type { AppendOutcome } from '../append/index.js'
import { fingerprintOf } from '../event/index.js'
import { type Clock, EventspineError, type Random } from '../kernel/index.js'
import {
  type ApprovalStanding,
  type Asked,
  type Decided,
  type InstanceName,
  questionsOf,
  standingOf,
  stimulus,
} from '../workflow/index.js'
import type { ApprovalTicket } from './approval-links.js'
import type { Cell } from './cell.js'
import { actOn } from './workflow-act.js'

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
    // Another decision by the same link is none: the first stands, and is shown.
    const decision = { approved, by: ticket.by, reason: reason ?? null, question }
    await this.#append(ticket, ticket.approval, decision, decisionId(ticket))
    return await this.#taken(ticket)
  }

  /** Decides what `approval` asks now. Where it was asked more than once, `question` says which. The same decision by the same
   *  person again is none. Answers which question it was. Throws APPROVAL_NOT_ASKED, besides the errors of `publish`. */
  async decideAs(
    name: InstanceName,
    approval: string,
    { question, ...decision }: Answer,
  ): Promise<{ readonly question: string }> {
    const found = await this.#services.cellOf(name.tenant).store.workflow(name)
    const asked = askedOf(questionsOf(found?.history ?? [], approval), name, approval, question)
    const place = asked.question
    if (asked.state === 'over')
      throw notAsked(name, approval, 'its time is over, or the workflow goes another way', place)
    const { approved, by } = decision
    if (asked.decided !== undefined) {
      if (asked.decided.by === by && asked.decided.approved === approved) return { question: place }
      throw decidedBy(name, approval, asked.decided, place)
    }
    const id = idOf([name.tenant, name.workflow, name.id, approval, by, { question: place }])
    if ((await this.#append(name, approval, { ...decision, question: place }, id)) === 'conflict')
      throw notAsked(name, approval, `${by} has just decided it otherwise`, place)
    return { question: place }
  }

  async #append(
    name: InstanceName,
    approval: string,
    { question, ...decision }: Required<Answer>,
    id: string,
  ): Promise<AppendOutcome> {
    const payload = { ...decision, atMs: this.#services.clock.now() }
    const data = { name: approval, payload, question }
    const made = stimulus(name, 'signalled', data, undefined, this.#services)
    const event = { ...made, id, correlationId: id }
    // A second click is the same decision, though it is made later.
    const same = { ...event, data: JSON.stringify(decision) }
    const { appender } = this.#services.cellOf(name.tenant)
    const { approved, by, reason } = decision
    const act = actOn(name, approved ? 'approve' : 'refuse', by, { approval, question, reason })
    return await appender.appendActed({ ...event, fingerprint: fingerprintOf(same) }, act)
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
const decisionId = ({ tenant, workflow, id, approval, by, untilMs, nonce }: ApprovalTicket) =>
  idOf([tenant, workflow, id, approval, by, untilMs, nonce])

const idOf = (of: readonly unknown[]) =>
  `approve ${createHash('sha256').update(JSON.stringify(of)).digest('base64url')}`

interface Answer {
  readonly approved: boolean
  readonly by: string
  readonly reason: string | null
  readonly question?: string | undefined
}

function askedOf(all: readonly Asked[], name: InstanceName, approval: string, question?: string): Asked {
  if (question !== undefined) {
    const found = all.find((each) => each.question === question)
    if (found !== undefined) return found
    throw notAsked(name, approval, `it asks nothing as "${question}"`)
  }
  const [first, ...others] = all
  if (first === undefined) throw notAsked(name, approval, 'it has not come to it')
  if (others.length === 0) return first
  const open = all.filter(({ state }) => state === 'open')
  const shown = open.map(({ question: place, text }) => (text === undefined ? place : `${place} (${text})`))
  throw notAsked(
    name,
    approval,
    `it was asked ${all.length} times, so say which "question" is meant; ${open.length === 0 ? 'none is open' : `open: ${shown.join(', ')}`}`,
  )
}

const notAsked = ({ workflow, id }: InstanceName, approval: string, why: string, place?: string) =>
  new EventspineError(
    'APPROVAL_NOT_ASKED',
    `"${approval}"${place === undefined ? '' : ` (question ${place})`} of workflow "${workflow}" ${id} is not to be decided: ${why}.`,
  )

const decidedBy = (name: InstanceName, approval: string, { approved, by, atMs }: Decided, place: string) =>
  notAsked(
    name,
    approval,
    `${by} has ${approved ? 'approved' : 'refused'} it at ${new Date(atMs).toISOString()}`,
    place,
  )

interface Recorded {
  readonly event?: string
  readonly dropped?: true
  readonly payload: Decided
}

const decisionOf = (data: string | null) => JSON.parse(data ?? '{}') as Recorded

const refused = (field: string, message: string) =>
  new EventspineError('REQUEST_INVALID', `${message}.`, { field })
