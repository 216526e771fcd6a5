// TCP ports on loopback: finding a free one, and asking whether a PostgreSQL server answers on one.
import { randomInt } from 'node:crypto'
import { connect, createServer } from 'node:net'

// Below the range that systems hand out to outgoing connections (32768 and up on Linux, 49152 elsewhere), so that
// a port remembered for the next start is seldom taken by then.
const portMin = 20_000
const portMax = 29_999
const portTriesMax = 50
const answerMsMax = 5_000

/** A TCP port on 127.0.0.1 that was free a moment ago. Pass `preferred` to get that one if it is free. */
export async function findFreePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred
  for (let tries = 0; tries < portTriesMax; tries += 1) {
    const port = randomInt(portMin, portMax + 1)
    if (await isFree(port)) return port
  }
  return systemChosenPort()
}

/** Whether this port on 127.0.0.1 can be listened on now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** Whether a PostgreSQL server on this port asks for a password: then it is up and takes sessions. */
export function answers(port: number, user: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const settle = (up: boolean) => {
      socket.destroy()
      resolve(up)
    }
    socket.setTimeout(answerMsMax, () => settle(false))
    socket.once('error', () => settle(false))
    socket.once('close', () => settle(false))
    socket.once('connect', () => socket.write(startupMessage(user)))
    socket.once('data', (data) => settle(data[0] === 'R'.charCodeAt(0)))
  })
}

function startupMessage(user: string): Buffer {
  const body = Buffer.from(`user\0${user}\0database\0postgres\0\0`)
  const head = Buffer.alloc(8)
  head.writeInt32BE(head.length + body.length, 0)
  head.writeInt32BE(196_608, 4)
  return Buffer.concat([head, body])
}

function systemChosenPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
