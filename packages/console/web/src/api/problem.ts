// A refusal of the API, as it is shown to a person.

export interface Issue {
  readonly field: string
  readonly message: string
}

/** RFC 9457 problem+json, or what stands for it when no answer came. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly code: string
  readonly title: string
  readonly issues: readonly Issue[]
  /** The request id, which is in the server's log. */
  readonly instance: string | undefined

  constructor(status: number, body: Partial<Problem> & { readonly detail?: string }) {
    super(body.detail ?? `The server answered with HTTP ${status}.`)
    this.status = status
    this.code = body.code ?? `HTTP ${status}`
    this.title = body.title ?? 'The request failed'
    this.issues = body.issues ?? []
    this.instance = body.instance
  }
}

/** No answer at all: the server is away, or the network is. */
export const unreachable = () =>
  new Problem(0, {
    code: 'UNREACHABLE',
    title: 'The server cannot be reached',
    detail: 'It may be restarting. This page asks again by itself.',
  })
