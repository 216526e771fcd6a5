// Links by which a person decides what a workflow asks, without an account of their own: who holds one may decide that one
// question, as the person that it was made for, until it runs out. Nothing is stored for it: it is signed.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { EventspineError } from '../kernel/index.js'
import type { InstanceName } from '../workflow/index.js'

export interface ApprovalLinksOptions {
  /** Where people reach the HTTP API. Default: the environment's EVENTSPINE_URL. */
  readonly url?: string
  /** Texts of 32 characters or more that nobody else knows, the same in every process. The first signs and all are
   *  accepted: to change it, put the new one in front and take the old one out once its links have run out. Default: the
   *  environment's EVENTSPINE_APPROVAL_SECRET, several separated by commas. */
  readonly secrets?: readonly string[]
}

export interface ApprovalLinkOptions {
  /** Who is given the link, such as an address of mail: what is decided by it is recorded as decided by them. */
  readonly by: string
  /** Refused from then on. Default: in 7 days. */
  readonly until?: Date
}

/** What a link is good for. */
export interface ApprovalTicket extends InstanceName {
  readonly approval: string
  readonly by: string
  readonly untilMs: number
  /** Tells it from another link for the same. */
  readonly nonce: string
}

export interface ApprovalLinks {
  /** For `ctx.approval(approval)` of that instance; within a workflow, `ctx` names it. Whoever gets the link can use it:
   *  send it to nobody but `by`. Throws REQUEST_INVALID where there is no secret or no address. */
  link(instance: InstanceName, approval: string, options: ApprovalLinkOptions): string
  /** What the last part of a link is good for, for pages of your own. */
  read(token: string, nowMs?: number): ApprovalTicket | 'invalid' | 'expired'
}

const secretMin = 32
const nameMax = 200
const untilDefaultMs = 7 * 86_400_000
/** Mail programs break longer ones, and the server takes paths of 3,000 characters. */
const linkMax = 2_000

/** The environment is asked when a link is made or read, so that it may be filled in after the app is loaded. */
export function approvalLinks(options: ApprovalLinksOptions = {}): ApprovalLinks {
  const secrets = () => checkedSecrets(options.secrets ?? fromEnvironment())
  return {
    link({ tenant, workflow, id }, approval, { by, until }) {
      const untilMs = until === undefined ? Date.now() + untilDefaultMs : until.getTime()
      if (!isName(by)) throw refused(`"by" says who decides, in 1 to ${nameMax} characters`)
      if (![tenant, workflow, id].every((part) => typeof part === 'string' && part !== ''))
        throw refused('the instance needs its tenant, workflow and id. Within a workflow give ctx')
      if (!isName(approval)) throw refused(`the name of an approval has 1 to ${nameMax} characters`)
      if (Number.isNaN(untilMs)) throw refused('"until" must be a valid Date')
      const [secret] = secrets()
      if (secret === undefined)
        throw refused(
          `there is no secret to sign it with. Set EVENTSPINE_APPROVAL_SECRET to ${secretMin} random characters or more, the same for workers and the HTTP API`,
        )
      const nonce = randomBytes(6).toString('base64url')
      const body = JSON.stringify([tenant, workflow, id, approval, by, untilMs, nonce])
      const link = `${addressOf(options.url)}/approvals/${Buffer.from(body).toString('base64url')}.${sign(body, secret)}`
      if (link.length <= linkMax) return link
      throw refused(
        `it would have ${link.length} characters, and mail programs break those of more than ${linkMax}`,
      )
    },

    read(token, nowMs = Date.now()) {
      const [encoded = '', signature = '', ...more] = token.split('.')
      const body = Buffer.from(encoded, 'base64url').toString()
      if (more.length > 0 || !secrets().some((secret) => isSame(signature, sign(body, secret))))
        return 'invalid'
      const [tenant, workflow, id, approval, by, untilMs, nonce] = JSON.parse(body) as Signed
      return untilMs <= nowMs ? 'expired' : { tenant, workflow, id, approval, by, untilMs, nonce }
    },
  }
}

const isName = (name: unknown) =>
  typeof name === 'string' &&
  name !== '' &&
  name.length <= nameMax &&
  name.isWellFormed() &&
  !/[\u0000-\u001f\u007f]/.test(name)

type Signed = [string, string, string, string, string, number, string]

// With a name of what is signed in front: a signature made for something else under the same secret is none here.
const sign = (body: string, secret: string) =>
  createHmac('sha256', secret).update(`eventspine approval 1\n${body}`).digest('base64url')

function isSame(given: string, made: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(made)]
  return one.length === other.length && timingSafeEqual(one, other)
}

const fromEnvironment = () =>
  (process.env.EVENTSPINE_APPROVAL_SECRET ?? '')
    .split(',')
    .map((secret) => secret.trim())
    .filter((secret) => secret !== '')

function checkedSecrets(secrets: readonly string[]): readonly string[] {
  if (secrets.every((secret) => secret.length >= secretMin)) return secrets
  throw refused(`a secret is shorter than ${secretMin} characters, and could be guessed. Make a longer one`)
}

function addressOf(url = process.env.EVENTSPINE_URL): string {
  if (url !== undefined && /^https?:\/\/[^?#]+$/i.test(url) && URL.canParse(url))
    return url.replace(/\/+$/, '')
  throw refused(
    url === undefined || url === ''
      ? 'nobody says where the HTTP API is. Set EVENTSPINE_URL, such as https://eventspine.example.com'
      : `"${url}" is no address. Write it with its scheme, such as https://eventspine.example.com`,
  )
}

const refused = (problem: string) =>
  new EventspineError('REQUEST_INVALID', `No approval link can be made or read: ${problem}.`)
