// Everything that a run left behind, from where it does not depend on each other: what publishers were told, what the
// sink saw, what handlers wrote, and what the library itself says.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Eventspine } from 'eventspine'
import type { OwnServer } from './engine.js'
import { type JournalRead, readJournals } from './journal.js'
import type { Purchase } from './purchases.js'
import type { HandlerRun } from './sink.js'

const pageRowsMax = 20_000

export interface Effect {
  readonly place: number
  readonly subscription: string
  readonly event: string
  readonly run: string
  /** Its handler failed right behind it. */
  readonly failed: boolean
}

/** An event that was given up. */
export interface Letter {
  readonly subscription: string
  readonly event: string
  readonly n: number
  readonly state: string
}

/** What the library counts of a subscription. */
export interface Counted {
  readonly name: string
  readonly matched: number
  readonly completed: number
  readonly dead: number
  readonly skipped: number
  readonly balanced: boolean
}

export interface Evidence {
  readonly journal: JournalRead
  /** In the order in which they began. */
  readonly runs: readonly HandlerRun[]
  /** In the order in which they were written. */
  readonly effects: readonly Effect[]
  /** Key → its events, in the order in which an ordered subscription handled them. */
  readonly lists: ReadonlyMap<string, readonly string[]>
  readonly letters: readonly Letter[]
  /** Ids of the published events in the log, in no order. */
  readonly log: readonly string[]
  /** Events that handlers published. */
  readonly echoes: number
  readonly purchases: readonly Purchase[]
  readonly counted: readonly Counted[]
  /** Deliveries that are still open. */
  readonly open: readonly string[]
  /** Deliveries whose history has two ends. */
  readonly endedTwice: readonly string[]
}

export interface Sources {
  readonly server: OwnServer
  readonly schema: string
  readonly observer: Eventspine
  readonly journals: readonly string[]
  readonly sinkFile: string
}

export async function gathered({ server, schema, observer, journals, sinkFile }: Sources): Promise<Evidence> {
  const sql = <Row extends Record<string, unknown>>(text: string) => server.sql<Row>(text)
  const lists = await sql<{ key: string; events: string[] }>(`SELECT key, events FROM ${schema}.list`)
  const [echoes] = await sql<{ count: number }>(
    `SELECT count(*)::int AS count FROM ${schema}.event WHERE type = 'crash.echoed'`,
  )
  const open = await sql<{ name: string }>(
    `SELECT subscription || '/' || seq || ' ' || state AS name FROM ${schema}.delivery`,
  )
  const { subscriptions } = await observer.operator().doctor()
  return {
    journal: await readJournals(journals),
    runs: await readRuns(sinkFile),
    effects: await paged<Effect>(
      server,
      `SELECT place::float8 AS place, subscription, event, run, failed FROM ${schema}.effect`,
    ),
    lists: new Map(lists.map(({ key, events }) => [key, events])),
    letters: await sql<Letter & Record<string, unknown>>(
      `SELECT subscription, state, data ->> 'event' AS event, (data ->> 'n')::int AS n
       FROM (SELECT subscription, state, (event ->> 'data')::json AS data FROM ${schema}.dead_letter
         WHERE subscription NOT LIKE 'workflow-%') AS letter`,
    ),
    log: (
      await paged<{ place: number; id: string }>(
        server,
        `SELECT seq::float8 AS place, id FROM (SELECT seq, id FROM ${schema}.event WHERE type = 'crash.happened') e`,
      )
    ).map(({ id }) => id),
    echoes: echoes?.count ?? 0,
    purchases: await sql<Purchase & Record<string, unknown>>(purchasesOf(schema)),
    counted: subscriptions,
    open: open.map(({ name }) => name),
    endedTwice: (await sql<{ name: string }>(endedTwice(schema))).map(({ name }) => name),
  }
}

const purchasesOf = (schema: string) =>
  `SELECT b.event, b.n, w.state,
     ARRAY(SELECT m.kind FROM ${schema}.money m WHERE m.event = b.event) AS bookings
   FROM (SELECT data ->> 'event' AS event, (data ->> 'n')::int AS n
     FROM (SELECT data::json AS data FROM ${schema}.event WHERE type = 'crash.bought') e) b
   LEFT JOIN ${schema}.workflow w ON w.name = 'purchase' AND w.id = b.event`

const endedTwice = (schema: string) =>
  `SELECT subscription || '/' || seq AS name FROM (
     SELECT r.subscription, r.epoch, o.seq FROM ${schema}.run r,
       ROWS FROM (unnest(r.seqs), unnest(r.outcomes)) AS o(seq, outcome)
     WHERE coalesce(o.outcome, 'd') = 'd') AS done
   GROUP BY subscription, epoch, seq HAVING count(*) > 1`

async function paged<Row extends { readonly place: number }>(
  server: OwnServer,
  select: string,
): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (let after = 0; ; ) {
    const page = await server.sql<Row & Record<string, unknown>>(
      `SELECT * FROM (${select}) AS all_rows WHERE place > $1 ORDER BY place LIMIT ${pageRowsMax}`,
      [after],
    )
    for (const row of page) rows.push(row)
    const last = page.at(-1)
    if (last === undefined || page.length < pageRowsMax) return rows
    after = last.place
  }
}

async function readRuns(file: string): Promise<readonly HandlerRun[]> {
  const runs = new Map<string, { -readonly [Part in keyof HandlerRun]: HandlerRun[Part] }>()
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const [at, word, run = '', subscription = '', event = '', key = ''] = line.split(' ')
    const begun = runs.get(run)
    if (word === 'begin')
      runs.set(run, {
        ...{ run, subscription, event, key, beganAt: Number(at) },
        ...{ ended: 'cut', endedAt: Number.POSITIVE_INFINITY },
      })
    else if (begun !== undefined && (word === 'end' || word === 'fail')) {
      begun.ended = word
      begun.endedAt = Number(at)
    }
  }
  return [...runs.values()]
}
