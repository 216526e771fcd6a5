// Requests to the API of this origin. The session is a cookie that no script sees; its token lives in this module alone.
import { bodyText } from './body.js'
import { Problem, unreachable } from './problem.js'

let csrf: string | null = null

/** From now on changes are sent with this token. */
export function keepToken(token: string | null): void {
  csrf = token
}

export type Query = Readonly<Record<string, string | number | undefined>>

/** `/v1/…?name=value`, without what is empty. */
export function addressOf(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return text === '' ? path : `${path}?${text}`
}

export const get = <Answer>(path: string, query?: Query, signal?: AbortSignal): Promise<Answer> =>
  ask(addressOf(path, query), { ...(signal === undefined ? {} : { signal }) })

export const post = <Answer>(path: string, body: unknown = {}): Promise<Answer> =>
  ask(path, { method: 'POST', body: bodyText(body) })

export const remove = <Answer>(path: string): Promise<Answer> => ask(path, { method: 'DELETE' })

async function ask<Answer>(address: string, init: RequestInit): Promise<Answer> {
  const headers = {
    accept: 'application/json',
    ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(init.method === undefined || csrf === null ? {} : { 'x-csrf-token': csrf }),
  }
  const response = await fetch(address, { ...init, headers, credentials: 'same-origin' }).catch(
    (error: unknown) => {
      throw init.signal?.aborted === true ? error : unreachable()
    },
  )
  if (!response.ok) throw await refusalOf(response)
  return (await response.json().catch(() => ({}))) as Answer
}

/** What an answer that is a refusal says. */
export async function refusalOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => ({}))
  return new Problem(response.status, body as Partial<Problem>)
}
