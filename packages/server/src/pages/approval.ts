// The page behind an approval link: what is asked, a form to decide by, and how it stands. HTML without scripts.
import { createHash } from 'node:crypto'
import type { ApprovalStanding, ApprovalTicket } from 'eventspine/workflow'
import type { Answer } from '../route/route.js'
import { html } from './html.js'

/** `stored`: it is decided, and the workflow has not come to it yet. */
export type Standing = ApprovalStanding | { readonly kind: 'stored' }

export type Shown =
  | (Standing & { readonly ticket: ApprovalTicket })
  /** Nobody made this link. */
  | { readonly kind: 'invalid' }
  | { readonly kind: 'expired' }
  /** The request itself had a fault, or could not be carried out now. */
  | { readonly kind: 'refused'; readonly status: number; readonly message: string }

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem;color:#1d2430;background:#fff}
h1{font-size:1.5rem;line-height:1.3;margin:0 0 .5rem}p{margin:.5rem 0}.small{color:#59636f;font-size:.9rem}
.text{font-size:1.1rem;white-space:pre-wrap;overflow-wrap:anywhere;border-left:3px solid #0b57a4;padding-left:.8rem;margin:1.2rem 0}
label{display:block;margin:1.2rem 0 .3rem}textarea{font:inherit;color:inherit;background:transparent;width:100%;box-sizing:border-box;
border:1px solid #76808c;border-radius:6px;padding:.5rem}button{font:inherit;font-weight:600;padding:.6rem 1.4rem;margin:1rem .6rem 0 0;
border-radius:6px;border:1px solid #0b57a4;cursor:pointer;min-height:44px}.yes{color:#fff;background:#0b57a4}.no{color:#0b57a4;background:transparent}
button:focus-visible,textarea:focus-visible{outline:3px solid #f0a020;outline-offset:2px}
@media (prefers-color-scheme:dark){body{color:#e3e7ee;background:#14181f}.small{color:#a2acb8}.text{border-color:#7ab8ff}
button{border-color:#7ab8ff}.yes{color:#0c1118;background:#7ab8ff}.no{color:#7ab8ff}}`

const styleHash = createHash('sha256').update(style).digest('base64')

const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`

const statuses: Readonly<Partial<Record<Shown['kind'], number>>> = { invalid: 404, expired: 410 }

export function approvalPage(shown: Shown): Answer {
  return {
    status: shown.kind === 'refused' ? shown.status : (statuses[shown.kind] ?? 200),
    body: document(shown),
    contentType: 'text/html; charset=utf-8',
    headers: { 'content-security-policy': policy, 'x-robots-tag': 'noindex' },
  }
}

function document(shown: Shown): string {
  const title = titleOf(shown)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${html`${title}`}</title><style>${style}</style></head><body><main>
<h1>${html`${title}`}</h1>
${bodyOf(shown)}
</main></body></html>
`
}

function titleOf(shown: Shown): string {
  switch (shown.kind) {
    case 'asks':
      return 'Your decision is asked for'
    case 'decided':
      return shown.approved ? 'Approved' : 'Refused'
    case 'stored':
      return 'A decision by this link is stored'
    case 'not-asked':
      return 'Nothing is asked yet'
    case 'over':
      return 'It is too late to decide'
    case 'refused':
      return 'This did not work'
    case 'expired':
      return 'This link has run out'
    default:
      return 'This link is not valid'
  }
}

function bodyOf(shown: Shown): string {
  switch (shown.kind) {
    case 'asks':
      return question(shown)
    case 'decided': {
      const { by, reason, atMs, ticket } = shown
      const why = reason === null ? '' : html`<p class="text">${reason}</p>`
      return html`<p>${nameOf(ticket)}: decided by <strong>${by}</strong> on ${moment(atMs)}.</p>` + why
    }
    case 'stored':
      return html`<p>${nameOf(shown.ticket)} takes it as soon as it comes to it. There is nothing more to do.</p>`
    case 'not-asked':
      return html`<p>${nameOf(shown.ticket)} has not come to this question, or ended long ago. Try again in a minute.</p>`
    case 'over':
      return html`<p>Somebody else decided ${nameOf(shown.ticket)}, the time for it has passed, or what asked has ended.</p>`
    case 'refused':
      return html`<p class="text">${shown.message}</p><p>Go back to the form, and try again. It shows how the question stands.</p>`
    case 'expired':
      return '<p>Ask whoever sent it for a new one.</p>'
    default:
      return '<p>Part of it may be missing. Copy the whole link from the message that you were sent.</p>'
  }
}

function question({
  to,
  text,
  askedAtMs,
  ticket,
  question: place,
}: Extract<Shown, { readonly kind: 'asks' }>): string {
  const asked = to === undefined ? '' : html` of ${to}`
  return `<p class="small">${html`${nameOf(ticket)}, asked`}${asked}${html` on ${moment(askedAtMs)}`}</p>
${text === undefined ? '' : html`<p class="text">${text}</p>`}
<form method="post">
${html`<input type="hidden" name="question" value="${place}">`}
<label for="reason">Reason (optional)</label>
<textarea id="reason" name="reason" rows="3" maxlength="1000"></textarea>
<button class="yes" name="decision" value="approve">Approve</button>
<button class="no" name="decision" value="refuse">Refuse</button>
</form>
<p class="small">${html`Recorded as the decision of ${ticket.by}. This link decides once, until ${moment(ticket.untilMs)}.`}</p>`
}

const nameOf = ({ workflow, id, approval }: ApprovalTicket) => `“${approval}” of ${workflow} ${id}`

const moment = (ms: number) => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
