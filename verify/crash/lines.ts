// Lines out of a socket, however they were cut on the way.
import type { Socket } from 'node:net'

/** Calls `line` for each one that is complete, without its end. */
export function onLine(socket: Socket, line: (text: string) => void): void {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const each of lines) line(each)
  })
}
