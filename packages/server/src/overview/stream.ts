// GET /v1/overview/live: the figures of now, about once a second. Each reader is sent what is newest when it can take
// something: one that is slow misses what was between, and nothing is kept for it.
import type { Answer, Incoming } from '../route/route.js'
import { greeting, sentEvents } from '../tail/sent-events.js'
import type { Board } from './board.js'

/** Throws IN_FLIGHT_MAX. */
export function overviewStream(incoming: Incoming, board: Board): Promise<Answer> {
  return sentEvents(incoming, (ended) => messages(board, ended))
}

// A database that is away for a while is no reason to end: whoever looks is told, and sees it come back.
async function* messages(board: Board, ended: AbortSignal): AsyncGenerator<string> {
  yield greeting
  let since: string | null = null
  for await (const figures of board.following(ended)) {
    since = figures?.at ?? since
    yield figures === undefined
      ? `event: unreadable\ndata: ${JSON.stringify({ since })}\n\n`
      : `data: ${JSON.stringify(figures)}\n\n`
  }
}
