// What was acknowledged, to be compared with the log in the end: nothing refused is stored, everything accepted is in
// there as it was sent.
import pg from 'pg'
import type { Description } from '../openapi.js'
import type { Case } from '../request/case.js'
import type { Reply } from './reply.js'

const handlersTypes = ['orders.order-confirmed', 'things.answered']
const enginesTypes = [
  'eventspine.workflow.',
  'eventspine.message-kept',
  'eventspine.schedule.',
  'eventspine.webhook',
]
/** Of the names of their operations. */
const routePrefix = 'route-'
const rowsMax = 2_000
/** Violations that are told in full. */
const toldMax = 20

interface Published {
  readonly id: string
  readonly type: string
  readonly tenant: string
  readonly source: string
}

/** By its own kind of answer each. */
interface Taken {
  readonly events?: readonly Published[]
  readonly event?: Published
}

interface Entry {
  /** The data that was sent, in one order of keys; undefined where the definition may change it. */
  readonly data: string | undefined
  readonly index: number
}

interface Row extends Published {
  readonly position: string
  readonly data: string | null
  readonly claim: string | null
  readonly caused: boolean
}

const identity = ({ tenant, source, id }: Published) => JSON.stringify([tenant, source, id])

export class LogBook {
  readonly #accepted = new Map<string, Entry>()
  #routes: readonly { readonly name: string; readonly method: string; readonly path: RegExp }[] = []

  /** A strange path may be that of a route of the app, whose parameters take any text. */
  know({ operations }: Description): void {
    this.#routes = operations
      .filter(({ id }) => id.startsWith(routePrefix))
      .map(({ id, method, path }) => ({
        ...{ name: id.slice(routePrefix.length), method },
        path: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/?#]+')}(?:[?#]|$)`),
      }))
  }

  get acceptedEvents(): number {
    return this.#accepted.size
  }

  /** Notes a 202, with the violations that show at once. */
  accepted(asked: Case, reply: Reply): readonly string[] {
    const { events = [], event: one } = JSON.parse(reply.body.toString('utf8')) as Taken
    const source = /^\/sources\/(\w+)/.exec(asked.target)?.[1]
    if (source !== undefined) return this.#message(asked, source, events)
    const route = this.#routes.find(({ method, path }) => method === asked.method && path.test(asked.target))
    if (route !== undefined) return this.#message(asked, route.name, one === undefined ? [] : [one])
    const sent = sentEvents(asked)
    if (sent === undefined) return ['202 for a body that is not JSON']
    if (sent.length !== events.length) return [`202 names ${events.length} events, sent were ${sent.length}`]
    for (const [at, event] of events.entries()) {
      const data = event.type === 'tests.anything' ? canonical(sent[at]) : undefined
      const known = this.#accepted.get(identity(event))
      this.#accepted.set(identity(event), known ?? { data, index: asked.index })
    }
    return []
  }

  /** A message of somebody else, whose words are not ours, or a request to a route of the app. */
  #message(
    { index, tenant = 'default' }: Case,
    source: string,
    events: readonly Pick<Published, 'id'>[],
  ): readonly string[] {
    for (const { id } of events)
      this.#accepted.set(identity({ tenant, source: `/sources/${source}`, id } as Published), {
        ...{ data: undefined, index },
      })
    return []
  }

  /** Compares with the log. */
  async compare(databaseUrl: string): Promise<readonly string[]> {
    const client = new pg.Client({ connectionString: databaseUrl })
    await client.connect()
    const missing = new Map(this.#accepted)
    const violations: string[] = []
    try {
      for (let after = '0'; ; ) {
        const { rows } = await client.query<Row>(
          `SELECT seq::text AS position, id, type, tenant, source, data::text AS data, claim,
                  causation_id IS NOT NULL AS caused
             FROM eventspine.event WHERE seq > $1 ORDER BY seq LIMIT ${rowsMax}`,
          [after],
        )
        for (const row of rows) {
          const fault = this.#compared(row)
          if (fault !== undefined) violations.push(fault)
          missing.delete(identity(row))
        }
        after = rows.at(-1)?.position ?? ''
        if (after === '') break
      }
    } finally {
      await client.end()
    }
    for (const [name, { index }] of missing)
      violations.push(`accepted and not in the log: ${name} (request ${index})`)
    return violations.slice(0, toldMax)
  }

  #compared(row: Row): string | undefined {
    const entry = this.#accepted.get(identity(row))
    if (entry === undefined) {
      // What a handler has published nobody has sent.
      if (row.caused && handlersTypes.includes(row.type)) return undefined
      // What moves workflows on is written by the engine, under types that nobody may send.
      if (enginesTypes.some((type) => row.type.startsWith(type))) return undefined
      return `in the log and never accepted: ${identity(row)}`
    }
    if (entry.data === undefined || row.claim !== null || row.data === null) return undefined
    const stored = canonical(JSON.parse(row.data))
    if (stored === entry.data) return undefined
    return `stored otherwise than sent (request ${entry.index}): ${stored.slice(0, 200)} for ${entry.data.slice(0, 200)}`
  }
}

/** The data of each event of a request, read by another parser than the server's. */
function sentEvents({ headers, body }: Case): readonly unknown[] | undefined {
  try {
    const value: unknown =
      body === undefined || body.length === 0 ? undefined : JSON.parse(body.toString('utf8'))
    const isBinary =
      headers.some(([name]) => name.startsWith('ce-')) &&
      !headers.some(([name, type]) => name === 'content-type' && type.toLowerCase().includes('cloudevents'))
    if (isBinary) return [value]
    return (Array.isArray(value) ? value : [value]).map(
      (event) => (event as { data?: unknown } | undefined)?.data,
    )
  } catch {
    return undefined
  }
}

/** One text for all orders of keys. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
        : part,
    ) ?? 'null'
  )
}
