// What the page asks of its server. Without a session it leads to the page where one signs in, and keeps nothing that others could read.
import { forget } from '../phone/store.js'

export interface SessionView {
  readonly kind: 'carer' | 'display'
  readonly person: string
  readonly ward: string
  readonly csrf: string
}

/** The server has answered that it will not. */
export class Refused extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Rejects with Refused, and with a TypeError where the server cannot be reached. */
export async function ask<Answer>(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(path, { ...init, headers: { accept: 'application/json', ...init.headers } })
  const body = (await response.json()) as unknown
  if (response.ok) return body as Answer
  throw new Refused(response.status, (body as { message?: string }).message ?? response.statusText)
}

export const tell = <Answer>(method: 'POST' | 'PUT' | 'DELETE', path: string, body: unknown, csrf = '') =>
  ask<Answer>(path, {
    method,
    headers: { 'content-type': 'application/json', ...(csrf === '' ? {} : { 'x-csrf-token': csrf }) },
    body: JSON.stringify(body),
  })

/** Who sits here; leads away where nobody has signed in, or is not any more. */
export async function session(): Promise<SessionView> {
  try {
    return await ask<SessionView>('/api/session')
  } catch (error) {
    if (error instanceof Refused && error.status === 401) await leadAway()
    throw error
  }
}

/** Without the alarms that were kept for whoever sat here. What they have acknowledged goes on its way all the same, and a notification can be
 *  answered: each has its own right. */
export async function leadAway(): Promise<void> {
  await forget().catch(() => undefined)
  location.replace('/sign-in')
}

/** Where somebody begins who has signed in. */
export const homeOf = ({ kind, ward }: Pick<SessionView, 'kind' | 'ward'>) =>
  kind === 'carer' ? '/phone/' : `/wards/${encodeURIComponent(ward)}`
