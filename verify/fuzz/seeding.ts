// What a system has that has run for a while: events, chains, dead letters, a redrive, a replay, workflows. Made through the API,
// so that the requests that follow find ids, cursors and names.
import { setTimeout as delay } from 'node:timers/promises'
import type { LogBook } from './answer/log-book.js'
import type { Description, Operation } from './openapi.js'
import type { State } from './request/state.js'

const settleMsMax = 20_000
const pollMs = 50
const failingEvents = 30
const otherEvents = 40
const instances = 20

export interface Seeded {
  readonly url: string
  readonly key: string
  readonly description: Description
  readonly state: State
  readonly book: LogBook
}

export async function seedSystem(seeded: Seeded): Promise<void> {
  const failing = Array.from({ length: failingEvents }, (_, at) => ({
    type: 'tests.failing',
    tenant: at % 3 === 0 ? 'acme' : 'default',
    data: { reason: `permanent ${at % 4}` },
  }))
  const others = Array.from({ length: otherEvents }, (_, at) => ({
    type: at % 2 === 0 ? 'orders.order-placed' : 'tests.anything',
    tenant: at % 5 === 0 ? 'acme' : 'globex',
    id: `seed-${at}`,
    source: '/fuzz',
    data: at % 2 === 0 ? { order: `o-${at}`, quantity: 1 } : { at },
  }))
  for (const events of [failing, others]) await publish(seeded, events)
  await until(async () => (await items(seeded, 'listDeadLetters', '?limit=500')).length >= failingEvents)
  const [letter] = await items(seeded, 'listDeadLetters', '?limit=5')
  await ask(seeded, 'startRedrive', '', { filter: { ids: [letter?.id] }, reason: 'seeding' })
  await ask(seeded, 'startReplay', '', { subscription: 'remember', reason: 'seeding' })
  for (let at = 0; at < instances; at++) await ask(seeded, 'startWorkflow', '', { input: { at } })
  const lists = [
    'listEvents',
    'listDeadLetters',
    'listRedrives',
    'listReplays',
    'listAudit',
    'groupDeadLetters',
  ]
  for (const list of lists) await items(seeded, list, list === 'groupDeadLetters' ? '' : '?limit=5')
}

async function publish(seeded: Seeded, events: readonly object[]): Promise<void> {
  const body = JSON.stringify(events)
  const answer = (await ask(seeded, 'publishEvents', '', events)) as Record<string, unknown>
  const headers = [['content-type', 'application/json']] as const
  const asked = { index: -1, says: 'seeding', operation: undefined, method: 'POST', target: '', headers }
  seeded.book.accepted(
    { ...asked, body: Buffer.from(body), expectation: undefined, tenant: undefined },
    { status: 202, headers: new Map(), body: Buffer.from(JSON.stringify(answer)) },
  )
}

async function items(seeded: Seeded, id: string, query: string): Promise<readonly { readonly id: string }[]> {
  const answer = await ask(seeded, id, query)
  return (answer as { readonly items: readonly { readonly id: string }[] }).items
}

async function ask({ url, key, description, state }: Seeded, id: string, query: string, body?: unknown) {
  const operation = description.operations.find((each) => each.id === id) as Operation
  const response = await fetch(new URL(operation.path.replace('{workflow}', 'ask') + query, url), {
    method: operation.method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const answer: unknown = await response.json()
  if (!response.ok) throw new Error(`Seeding with ${id}: ${response.status} ${JSON.stringify(answer)}`)
  state.learn(operation, answer)
  return answer
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < settleMsMax; waitedMs += pollMs) {
    if (await holds()) return
    await delay(pollMs)
  }
  throw new Error('The system under fire did not settle after seeding')
}
