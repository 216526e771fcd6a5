// Who an event is, is said once (I6): many publishers at once, a copy of the log in another cluster, and the old
// cluster that lives on meanwhile never give an id or a position twice.
import { defineApp, defineSubscription, Eventspine, jsonLogger } from 'eventspine'
import pg from 'pg'
import { expect, it } from 'vitest'
import { happened } from '../crash/apps.js'
import { OwnServer } from '../crash/server.js'
import { afterTest, until } from '../support.js'

const publishers = 4
const rounds = 25

interface Place {
  readonly id: string
  readonly epoch: number
  readonly xid: number
  readonly seq: number
}

const heard: string[] = []
const app = defineApp({
  name: 'identity',
  events: [happened],
  subscriptions: [
    defineSubscription({
      name: 'listen',
      on: happened,
      start: 'beginning',
      handle: (event) => void heard.push(event.id),
    }),
  ],
})

async function started(server: OwnServer, work: boolean): Promise<Eventspine> {
  const logger = jsonLogger('silent', Date.now, () => {})
  const spine = new Eventspine(app, { databaseUrl: server.url, work, logger })
  afterTest(() => spine.stop())
  await spine.start()
  return spine
}

/** Everything that can publish does so at once; answers the ids. */
async function published(spines: readonly Eventspine[], server: OwnServer): Promise<string[]> {
  const ids: string[] = []
  const note = (answers: readonly { readonly id: string }[]) => void ids.push(...answers.map(({ id }) => id))
  const data = { n: 1, key: 'k' }
  await Promise.all(
    spines.map(async (spine) => {
      const client = new pg.Client({ connectionString: server.url })
      await client.connect()
      for (let round = 0; round < rounds; round++) {
        const single = Array.from({ length: 5 }, () => spine.publish(happened, data))
        const many = spine.publishMany(Array.from({ length: 3 }, () => ({ event: happened, data })))
        note(await Promise.all(single))
        note(await many)
        await client.query('BEGIN')
        const within = await spine.publish(client, happened, data)
        const rolledBack = round % 5 === 4
        await client.query(rolledBack ? 'ROLLBACK' : 'COMMIT')
        if (!rolledBack) note([within])
      }
      await client.end()
    }),
  )
  return ids
}

const places = (server: OwnServer) =>
  server.sql<Place>(
    'SELECT id, epoch, xid::text::float8 AS xid, seq::float8 AS seq FROM eventspine.event ORDER BY epoch, event.xid, event.seq',
  )
const positionOf = ({ epoch, xid, seq }: Place) => `${epoch}/${xid}/${seq}`
const after = (one: Place, other: Place) =>
  one.epoch - other.epoch || one.xid - other.xid || one.seq - other.seq

const tables = `SELECT relname::text AS name FROM pg_class
  WHERE relnamespace = 'eventspine'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'migration'`

/** What dump and restore do: the rows, and how far the sequence is. */
async function restored(from: OwnServer, to: OwnServer): Promise<void> {
  for (const { name } of await from.sql<{ name: string }>(tables)) {
    const [copy] = await from.sql<{ rows: string }>(
      `SELECT coalesce(json_agg(t), '[]')::text AS rows FROM eventspine.${name} t`,
    )
    await to.sql(`DELETE FROM eventspine.${name}`)
    await to.sql(
      `INSERT INTO eventspine.${name} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::eventspine.${name}, $1)`,
      [copy?.rows],
    )
  }
  const [sequence] = await from.sql<{ last: string }>('SELECT last_value AS last FROM eventspine.event_seq')
  await to.sql(`SELECT setval('eventspine.event_seq', $1)`, [sequence?.last])
}

it('never gives an id or a position twice, also when a copy of the log and its origin both live on (I6)', {
  timeout: 120_000,
}, async () => {
  const [origin, copy] = [new OwnServer(), new OwnServer()]
  await origin.start()
  await copy.start()
  const spines: Eventspine[] = []
  for (let each = 0; each < publishers; each++) spines.push(await started(origin, false))
  const before = await published(spines, origin)
  const old = await places(origin)
  expect(old.map(({ id }) => id).sort()).toEqual(before.toSorted())

  await (await started(copy, false)).stop()
  await restored(origin, copy)
  // The origin goes on, as one does after a blue-green switch that went wrong.
  const meanwhile = await published(spines, origin)
  const elsewhere: Eventspine[] = []
  for (let each = 0; each < publishers; each++) elsewhere.push(await started(copy, false))
  const anew = await published(elsewhere, copy)

  const there = await places(copy)
  const all = [...(await places(origin)), ...there.filter(({ id }) => !before.includes(id))]
  expect(all).toHaveLength(before.length + meanwhile.length + anew.length)
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length)
  expect(new Set(all.map(positionOf)).size).toBe(all.length)

  // Above every older position: those of the copy and those that the origin gave out after it.
  const newest = all
    .filter(({ id }) => !anew.includes(id))
    .toSorted(after)
    .at(-1) as Place
  expect(there.filter((place) => anew.includes(place.id) && after(place, newest) <= 0)).toEqual([])
  expect(there.filter(({ id }) => before.includes(id)).map(positionOf)).toEqual(old.map(positionOf))

  // And the positions are a reader's: one that begins at the beginning gets the old ones and then the new ones, once each.
  await started(copy, true)
  await until(() => heard.length >= before.length + anew.length)
  expect(heard.toSorted()).toEqual([...before, ...anew].toSorted())
  const fresh = new Set(anew)
  expect(heard.findLastIndex((id) => !fresh.has(id))).toBeLessThan(before.length + 10)
})
