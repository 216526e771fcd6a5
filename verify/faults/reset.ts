// The end of a connection as a network makes it when it breaks.
import type { Socket } from 'node:net'

/** Resets it. One whose end is on its way already cannot be reset: libuv refuses (a shutdown is pending), and Node leaves
 *  it open for ever and cannot end itself then. It is only closed. */
export function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}
