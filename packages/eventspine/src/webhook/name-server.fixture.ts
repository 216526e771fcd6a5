// A name server at 127.0.0.1, for tests: it answers what it is told to for each question, and counts them.
import { createSocket } from 'node:dgram'
import type { AddressInfo } from 'node:net'

const typeA = 1
const typeAaaa = 28
const classIn = 1
const answered = 0x8180
const notFound = 3

/** Addresses of IPv4, `[]` for a name without any, `null` for one that is not known. */
export type Zone = (host: string) => readonly string[] | null

export interface NameServer {
  /** As a resolver is told of it. */
  readonly address: string
  /** Questions of IPv4, by name. */
  readonly asked: ReadonlyMap<string, number>
  close(): Promise<void>
}

export async function nameServer(zone: Zone): Promise<NameServer> {
  const asked = new Map<string, number>()
  const socket = createSocket('udp4')
  socket.on('message', (message, { port, address }) => {
    const { name, type, end } = questionOf(message)
    if (type === typeA) asked.set(name, (asked.get(name) ?? 0) + 1)
    const found = type === typeAaaa ? [] : zone(name)
    socket.send(answerTo(message.subarray(0, end), found), port, address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${(socket.address() as AddressInfo).port}`,
    asked,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}

const headerBytes = 12

function questionOf(message: Buffer) {
  const labels: string[] = []
  let at = headerBytes
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('ascii', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 }
}

function answerTo(question: Buffer, found: readonly string[] | null): Buffer {
  const head = Buffer.from(question)
  head.writeUInt16BE(found === null ? answered + notFound : answered, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(found?.length ?? 0, 6)
  head.writeUInt16BE(0, 8)
  head.writeUInt16BE(0, 10)
  return Buffer.concat([head, ...(found ?? []).map(record)])
}

/** To live for no second, under the name of the question. */
function record(address: string): Buffer {
  const fixed = Buffer.alloc(12)
  fixed.writeUInt16BE(0xc000 + headerBytes, 0)
  fixed.writeUInt16BE(typeA, 2)
  fixed.writeUInt16BE(classIn, 4)
  fixed.writeUInt16BE(4, 10)
  return Buffer.concat([fixed, Buffer.from(address.split('.').map(Number))])
}
