// What every stream of server-sent events shares: it is counted, begins at once, is pulled by its reader, and ends with
// that reader or with the server.
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { authenticate } from '../access/principal.js'
import { Problem } from '../problem/problem.js'
import type { Answer, Incoming } from '../route/route.js'

const contentType = 'text/event-stream; charset=utf-8'
/** Readers are told to come back after so long. */
const reconnectMs = 2_000

/** The first words of each stream. */
export const greeting = `retry: ${reconnectMs}\n: connected\n\n`

/** `open` answers the stream, which must end when its signal aborts. Throws IN_FLIGHT_MAX, and what `open` throws. */
export async function sentEvents(
  incoming: Incoming,
  open: (ended: AbortSignal) => AsyncIterable<string> | Promise<AsyncIterable<string>>,
): Promise<Answer> {
  if (incoming.request.method === 'HEAD') return { body: '', contentType }
  const leave = incoming.tails.enter(incoming.principal.id)
  try {
    const { request, stopping, settings } = incoming
    const left = AbortSignal.any([stopping, leaving(request)])
    const messages = await open(AbortSignal.any([left, unwelcome(incoming, left)]))
    // A reader that takes nothing leaves the socket without progress, heartbeats included.
    request.socket.setTimeout(settings.limits.tailStallMsMax)
    const stream = Readable.from(messages, { highWaterMark: 1 })
    stream.once('close', leave)
    return { body: stream, contentType }
  } catch (error) {
    leave()
    throw error
  }
}

/** Aborts once whoever reads is known here no more: their key is withdrawn, or their session has ended. */
function unwelcome(incoming: Incoming, left: AbortSignal): AbortSignal {
  const refused = new AbortController()
  const look = async () => {
    try {
      const { id } = await authenticate(incoming.request, ['read'], incoming)
      if (id !== incoming.principal.id) refused.abort()
    } catch (error) {
      // That nobody could be asked is no refusal.
      if (error instanceof Problem && error.code === 'UNAUTHENTICATED') refused.abort()
    }
    if (!left.aborted && !refused.signal.aborted) timer.refresh()
  }
  const timer = setTimeout(() => void look(), incoming.settings.limits.storedKeysEveryMs).unref()
  left.addEventListener('abort', () => clearTimeout(timer), { once: true })
  return refused.signal
}

function leaving({ socket }: IncomingMessage): AbortSignal {
  const left = new AbortController()
  socket.once('close', () => left.abort())
  if (socket.destroyed) left.abort()
  return left.signal
}
