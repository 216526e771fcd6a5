// What is said of a connection that ended, by what Node says of real sockets.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { connect } from 'node:tls'
import { expect, it } from 'vitest'
import { connectionFault } from './connection-fault.js'

/** What TLS says of a server that does this with who connects. */
async function faultOf(serve: (socket: Socket) => void): Promise<Error> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    serve(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
  const [error] = (await once(client, 'error')) as [Error]
  client.destroy()
  server.close()
  return error
}

it.each<[string, (socket: Socket) => void]>([
  [
    'answers something else',
    (socket) => void socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
  ],
  ['hangs up on a greeting', (socket) => void socket.once('data', () => socket.end())],
])('a server that %s speaks no TLS', async (_, serve) => {
  const cause = await faultOf(serve)
  const { message, cause: kept } = connectionFault(cause)
  expect(message).toMatch(/does not speak TLS there.*mqtt:.*\(.+\)\.$/)
  expect(kept).toBe(cause)
})

it('says what it was told where it knows nothing better', () => {
  const ended = 'The connection to the MQTT broker ended: '
  expect(connectionFault(new Error('Connection refused: Not authorized')).message).toBe(
    `${ended}Connection refused: Not authorized.`,
  )
  expect(connectionFault(Object.assign(new Error(''), { code: 'ECONNREFUSED' })).message).toBe(
    `${ended}ECONNREFUSED.`,
  )
  expect(connectionFault(Object.assign(new Error('odd'), { code: 'toString' })).message).toBe(`${ended}odd.`)
  expect(connectionFault(undefined).message).toBe(`${ended}it was closed.`)
})
