// What exists in the running system, as requests refer to it: collected from answers, drawn by the dice.
import type { Dice } from '../dice.js'
import type { Operation } from '../openapi.js'
import { tokenFor } from '../target/links.js'

const perKindMax = 256

type Kind =
  | 'event'
  | 'letter'
  | 'redrive'
  | 'replay'
  | 'instance'
  | 'fingerprint'
  | 'correlation'
  | 'reply'
  | 'key'
  | `cursor ${string}`

const kindOfPath: readonly (readonly [RegExp, Kind])[] = [
  [/^\/v1\/events/, 'event'],
  [/^\/v1\/dead-letters/, 'letter'],
  [/^\/v1\/redrives/, 'redrive'],
  [/^\/v1\/replays/, 'replay'],
  [/^\/v1\/workflows/, 'instance'],
  [/^\/v1\/keys/, 'key'],
]

/** What they make has an id of its own. */
const namesItself = ['publishEvents', 'startWorkflow']

const patterns = [
  '{"data":{"at":[{"numeric":[">",3]}]}}',
  '{"tenant":["acme"]}',
  '{"data":{"reason":[{"prefix":"permanent"}]}}',
  '{"data":1}',
  '{',
]
export const eventTypes = [
  'tests.anything',
  'tests.anything',
  'orders.order-placed',
  'orders.order-confirmed',
  'tests.failing',
] as const

export class State {
  readonly #things = new Map<Kind, string[]>()
  readonly #next = new Map<Kind, number>()
  /** Of the console. */
  file: string | undefined
  /** An API key that signs in. */
  key: string | undefined

  /** What the property or parameter of this name may hold in a request of this operation. */
  known(dice: Dice, operation: Operation, name: string): unknown {
    switch (name) {
      case 'id':
        return namesItself.includes(operation.id) ? undefined : this.#idOf(dice, operation)
      case 'file':
        return this.file
      case 'data':
        // Fits the events that fail here.
        return operation.id === 'checkDeadLetter' ? { reason: 'mended' } : fixed(dice, name)
      case 'key':
        return operation.id === 'openSession' && dice.chance(0.3) ? this.key : undefined
      case 'token': {
        const id = this.#draw(dice, 'instance')
        return id === undefined ? undefined : tokenFor(id)
      }
      case 'workflow':
        return dice.pick(['ask', 'ask', 'ask', 'none'])
      case 'source':
        return operation.id === 'takeMessage'
          ? dice.pick(['taken', 'taken', 'signed', 'none'])
          : fixed(dice, name)
      case 'endpoint':
        return dice.pick(['ep-1', 'ep-2'])
      case 'webhooks':
        return dice.pick(['partners', 'none'])
      case 'schedule':
        return dice.pick(['yearly', 'yearly', 'none'])
      case 'ids':
        return this.#draw(dice, 'letter')
      case 'name':
        return nameFor(dice, operation)
      case 'subscription':
        return dice.pick(['confirm', 'remember', 'fail', 'fail', 'none'])
      case 'type':
      case 'eventType':
        return dice.pick(eventTypes)
      case 'pattern':
        return dice.pick(patterns)
      case 'cursor':
        return this.#draw(dice, `cursor ${operation.id}`)
      case 'reply':
        return this.#draw(dice, name)
      case 'correlation':
      case 'fingerprint':
        return this.#draw(dice, name)
      default:
        return fixed(dice, name)
    }
  }

  #idOf(dice: Dice, operation: Operation): string | undefined {
    const kind = kindOfPath.find(([form]) => form.test(operation.path))?.[1]
    return kind === undefined ? undefined : this.#draw(dice, kind)
  }

  #draw(dice: Dice, kind: Kind): string | undefined {
    const things = this.#things.get(kind) ?? []
    // Drawn even when there is nothing: the rest of the request must not depend on it.
    const drawn = dice.next()
    return things[Math.floor(drawn * things.length)]
  }

  /** Keeps what a list or a thing in an answer names. */
  learn(operation: Operation, answer: unknown): void {
    if (typeof answer !== 'object' || answer === null) return
    const { items, cursor, events, id, reply } = answer as Record<string, unknown>
    if (typeof reply === 'string') this.#keep('reply', reply.slice(reply.lastIndexOf('/') + 1))
    if (typeof cursor === 'string') this.#keep(`cursor ${operation.id}`, cursor)
    const kind = kindOfPath.find(([form]) => form.test(operation.path))?.[1]
    if (kind === undefined) return
    if (typeof id === 'string') this.#keep(kind, id)
    for (const list of [items, events]) {
      if (!Array.isArray(list)) continue
      for (const item of list.slice(0, 20) as Record<string, unknown>[]) this.#learnItem(kind, item)
    }
  }

  #learnItem(kind: Kind, item: Record<string, unknown>): void {
    const { id, correlationId, fingerprint } = item
    if (typeof id === 'string') this.#keep(kind, id)
    if (typeof correlationId === 'string') this.#keep('correlation', correlationId)
    if (typeof fingerprint === 'string') this.#keep('fingerprint', fingerprint)
  }

  #keep(kind: Kind, thing: string): void {
    const things = this.#things.get(kind) ?? []
    this.#things.set(kind, things)
    const at = this.#next.get(kind) ?? 0
    things[at] = thing
    this.#next.set(kind, (at + 1) % perKindMax)
  }
}

function nameFor(dice: Dice, operation: Operation): string {
  if (operation.path.startsWith('/v1/breakers')) return dice.pick(['payments', 'none'])
  if (operation.path.startsWith('/v1/webhooks')) return dice.pick(['partners', 'partners', 'none'])
  // What is removed takes no part until the app starts anew: the others have to last.
  if (operation.id === 'removeSubscription') return dice.pick(['spare', 'none'])
  return dice.pick(['confirm', 'remember', 'fail', 'none'])
}

function fixed(dice: Dice, name: string): unknown {
  if (name === 'cell') return dice.chance(0.9) ? 'main' : 'none'
  if (name === 'tenant') return dice.pick(['default', 'acme', 'globex'])
  if (name === 'version') return dice.pick([1, 1, 2])
  if (name === 'time') return new Date(dice.between(1_500_000_000, 1_900_000_000) * 1_000).toISOString()
  if (name === 'source') return dice.pick(['/fuzz', 'https://shop.example/checkout', 'urn:fuzz:1'])
  if (name === 'traceparent') return '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  if (name === 'datacontenttype') return dice.pick(['application/json', 'text/json; charset=utf-8'])
  if (name === 'dataschema') return 'https://example.org/schema'
  return undefined
}
