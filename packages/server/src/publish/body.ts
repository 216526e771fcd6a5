// Reads a body to its end or to its limit. A body that is too large is thrown away as it arrives, never kept, so that
// its sender can still read the answer; beyond `discardedBytesMax` the connection is cut.
import type { IncomingMessage } from 'node:http'
import { Problem } from '../problem/problem.js'

export interface BodyLimits {
  readonly bytesMax: number
  readonly discardedBytesMax: number
}

/** Throws BODY_TOO_LARGE, or HTTP_MALFORMED when the sender left. */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const declaredBytes = Number(request.headers['content-length'] ?? 0)
  if (declaredBytes > limits.discardedBytesMax) return Promise.reject(tooLarge(limits, true))
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const finish = (settle: () => void) => {
      request.off('data', take).off('end', end).off('error', abort).off('close', abort)
      settle()
    }
    const take = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= limits.bytesMax) chunks.push(chunk)
      else chunks.length = 0
      if (bytes > limits.discardedBytesMax) finish(() => reject(tooLarge(limits, true)))
    }
    const end = () =>
      finish(() =>
        bytes > limits.bytesMax ? reject(tooLarge(limits, false)) : resolve(Buffer.concat(chunks)),
      )
    const abort = () => finish(() => reject(new Problem('HTTP_MALFORMED', 'The body ended too early.')))
    request.on('data', take).on('end', end).on('error', abort).on('close', abort)
  })
}

function tooLarge(limits: BodyLimits, cut: boolean): Problem {
  return new Problem(
    'BODY_TOO_LARGE',
    `The body is larger than ${limits.bytesMax / 1024} KiB. Send less at once, or keep the large part elsewhere and publish a reference to it.`,
    cut ? { headers: { connection: 'close' } } : {},
  )
}
