// Postgres is killed under publishers, again and again: what they were told is stored is in the log, once (I1).
import { setTimeout as delay } from 'node:timers/promises'
import { defineApp, Eventspine, EventspineError, jsonLogger } from 'eventspine'
import pg from 'pg'
import { expect, it } from 'vitest'
import { happened } from '../crash/apps.js'
import { OwnServer } from '../crash/server.js'
import { afterTest, until } from '../support.js'

const kills = 4
const ackedBetweenKills = 150
const publishers = 3
const pauseMs = 20

type Publish = () => Promise<readonly { readonly id: string }[]>

/** Publishes until it is told to stop. Only what was acknowledged counts; what was not is not published again. */
async function publishing(publish: Publish, acked: string[], refused: string[], signal: AbortSignal) {
  while (!signal.aborted) {
    try {
      for (const { id } of await publish()) acked.push(id)
    } catch (error) {
      if (!(error instanceof EventspineError) || error.retryAfterMs === undefined) throw error
      refused.push(error.code)
      await delay(pauseMs)
    }
  }
}

/** Publishes in a transaction of its own: acknowledged by its COMMIT. */
async function publishWithin(spine: Eventspine, server: OwnServer) {
  const client = new pg.Client({ connectionString: server.url })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('BEGIN')
    const published = await spine.publish(client, happened, { n: 3, key: 'within' })
    await client.query('COMMIT')
    return [published]
  } catch (cause) {
    throw new EventspineError('UNAVAILABLE', 'It did not commit.', { cause, retryAfterMs: pauseMs })
  } finally {
    await client.end().catch(() => {})
  }
}

function ways(spine: Eventspine, server: OwnServer): Publish[] {
  const single = async () => [await spine.publish(happened, { n: 1, key: 'single' })]
  const events = Array.from({ length: 5 }, () => ({ event: happened, data: { n: 2, key: 'many' } }))
  return [single, single, () => spine.publishMany(events), () => publishWithin(spine, server)]
}

it('has every acknowledged event in the log after kill -9 of Postgres under its publishers (I1)', {
  timeout: 120_000,
}, async () => {
  const server = new OwnServer()
  await server.start()
  const app = defineApp({ name: 'ack', events: [happened] })
  const spines = Array.from({ length: publishers }, () => {
    const logger = jsonLogger('silent', Date.now, () => {})
    const spine = new Eventspine(app, { databaseUrl: server.url, work: false, logger })
    afterTest(() => spine.stop())
    return spine
  })
  for (const spine of spines) await spine.start()

  const acked: string[] = []
  const refused: string[] = []
  const ending = new AbortController()
  const work = Promise.all(
    spines.flatMap((spine) =>
      ways(spine, server).map((publish) => publishing(publish, acked, refused, ending.signal)),
    ),
  )
  for (let kill = 0; kill < kills; kill++) {
    const enough = acked.length + ackedBetweenKills
    await until(() => acked.length >= enough)
    await until(() => server.kill())
  }
  const enough = acked.length + ackedBetweenKills
  await until(() => acked.length >= enough)
  ending.abort()
  await work

  const rows = await until(() =>
    server
      .sql<{ id: string; times: number }>(
        'SELECT id, count(*)::int AS times FROM eventspine.event GROUP BY id',
      )
      .catch(() => null),
  )
  const stored = new Map(rows.map(({ id, times }) => [id, times]))
  expect(refused.length, 'the kills must be felt').toBeGreaterThan(0)
  expect(acked.filter((id) => stored.get(id) !== 1)).toEqual([])
})
