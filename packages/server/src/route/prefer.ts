// `Prefer: wait` (RFC 7240): a caller that would rather wait for the end than ask again.
import type { IncomingMessage } from 'node:http'
import type { Incoming } from './route.js'

const waitSecondsMax = 60

/** Seconds that a request asks to wait, at most 60; 0 when it does not. */
export function waitOf({ headers }: IncomingMessage): number {
  const asked = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})/i.exec([headers.prefer ?? ''].flat().join(','))
  return asked === null ? 0 : Math.min(waitSecondsMax, Number(asked[1]))
}

/** The signal aborts when the server stops, so that whoever waits is told where to ask again, and when the caller hangs up. */
export async function whileWanted<Answer>(
  { request, stopping }: Pick<Incoming, 'request' | 'stopping'>,
  wait: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const over = new AbortController()
  const end = () => over.abort()
  stopping.addEventListener('abort', end)
  request.socket.once('close', end)
  if (request.socket.destroyed || stopping.aborted) end()
  try {
    return await wait(over.signal)
  } finally {
    stopping.removeEventListener('abort', end)
    request.socket.removeListener('close', end)
  }
}
