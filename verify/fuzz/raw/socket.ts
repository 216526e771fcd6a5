// Plays one raw case on a socket of its own, and judges what came back: whatever was sent, no answer is a 5xx, no
// connection stays open for ever, nothing is answered that was not asked.
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { RawCase } from './cases.js'

const receivedBytesMax = 4 * 1024 * 1024

export interface RawOutcome {
  readonly violations: readonly string[]
  readonly received: string
  readonly ms: number
}

export async function play(port: number, raw: RawCase, endMsMax: number): Promise<RawOutcome> {
  const beganAt = performance.now()
  const { received, ended } = await talk(port, raw, endMsMax)
  const ms = performance.now() - beganAt
  return { violations: ended ? judged(raw, received) : [`open after ${Math.round(ms)} ms`], received, ms }
}

async function talk(port: number, raw: RawCase, endMsMax: number) {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  const closed = new Promise<boolean>((resolve) => {
    socket.once('close', () => resolve(true))
    socket.setTimeout(endMsMax, () => resolve(false))
  })
  socket
    .on('error', () => {})
    .on('data', (chunk) => {
      if (received.length < receivedBytesMax) received += chunk.toString('latin1')
    })
  for (const part of raw.parts) {
    if (socket.destroyed) break
    socket.write(part)
    if (raw.pauseMs > 0) await Promise.race([closed, delay(raw.pauseMs)])
  }
  if (raw.leaves) socket.end()
  const ended = await closed
  socket.destroy()
  return { received, ended }
}

function judged(raw: RawCase, received: string): string[] {
  if (received !== '' && !received.startsWith('HTTP/1.1 '))
    return [`no HTTP: ${JSON.stringify(received.slice(0, 80))}`]
  const statuses = [...received.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status))
  const left = [...raw.may]
  const violations: string[] = []
  for (const status of statuses) {
    if (status >= 500) violations.push(`answered ${status}`)
    if (status >= 400) continue
    const at = left.indexOf(status)
    if (at < 0) violations.push(`answered ${status}`)
    else left.splice(at, 1)
  }
  const refusals = statuses.filter((status) => status >= 400).length
  if (refusals > 1) violations.push(`${refusals} refusals of one request`)
  if (refusals > 0 && !received.includes('content-type: application/problem+json'))
    violations.push('a refusal without a problem')
  return violations
}
