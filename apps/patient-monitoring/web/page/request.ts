// One question to the server, from a page or from the worker.

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
