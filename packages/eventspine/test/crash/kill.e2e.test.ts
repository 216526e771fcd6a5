// kill -9, again and again, of workers and of Postgres under load: nothing is lost, no effect is doubled, none of an
// attempt that failed is seen, every key stays in order (I1, I4, I12, I14, I15, I17, I18, I21, I34).
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Eventspine, jsonLogger } from 'eventspine'
import { expect, it } from 'vitest'
import { seededRandom } from '../../src/kernel/index.js'
import { afterTest } from '../support.js'
import { apps, effectTable } from './apps.js'
import { abortedEffects, disorder, drained, expectLedger, plainRuns, wrongEffects } from './ledger.js'
import { Program, Supervisor } from './processes.js'
import { OwnServer } from './server.js'

const events = 5_000
const workerKills = 15
const postgresKills = 5
const schema = 'crash'
const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000)

async function prepare(server: OwnServer, sink: string): Promise<Eventspine> {
  await server.start()
  writeFileSync(sink, '')
  const spine = new Eventspine(apps.ledger({ schema, sink }), {
    databaseUrl: server.url,
    schema,
    work: false,
    logger: jsonLogger('silent', Date.now, () => {}),
  })
  afterTest(() => spine.stop())
  await spine.start()
  await server.sql(effectTable(schema))
  return spine
}

/** A delivery that ran at three kills looks as if it had caused them, and halts its key where that matters. An
 *  operator sends such letters again until everything is through. Answers how many. */
async function drainedByOperator(observer: Eventspine): Promise<number> {
  const operator = observer.operator()
  let letters = 0
  const redriving = setInterval(async () => {
    const { items } = await operator.deadLetters({ state: 'dead', limit: 500 })
    for (const { failure } of items) expect(failure.name).toBe('ProcessDeath')
    letters += items.length
    if (items.length > 0) await operator.redrive({ filter: {}, rate: 1_000, canary: 0, actor: 'ada' })
  }, 500)
  await drained(observer, events, 45_000).finally(() => clearInterval(redriving))
  return letters
}

it('keeps the ledger exact while workers and the database are killed', { timeout: 120_000 }, async () => {
  console.log(`CRASH_SEED=${seed}`)
  const random = seededRandom(seed)
  const server = new OwnServer()
  const sink = join(server.directory, 'plain.log')
  const observer = await prepare(server, sink)
  const surroundings = { databaseUrl: server.url, schema, sink, app: 'ledger', events } as const
  // The first worker registers the subscriptions; what is published before that would not be theirs.
  const supervisors = [new Supervisor(surroundings).start(), new Supervisor(surroundings).start()]
  await Promise.all(supervisors.map(({ worker }) => worker?.says('ready')))
  const publisher = new Program('publisher', surroundings)

  let killed = 0
  const killing = (async () => {
    for (let kill = 0; kill < workerKills; kill++)
      await supervisors[kill % supervisors.length]?.killAfter(100 + random.next() * 400)
  })()
  while (killed < postgresKills) {
    await delay(1_000 + random.next() * 2_000)
    if (await server.kill()) killed++
  }
  await Promise.all([killing, publisher.end()])
  expect(publisher.code, publisher.output.slice(-2_000)).toBe(0)
  const acked = new Set(publisher.output.match(/(?<=acked )\d+/g))
  expect(acked.size).toBe(events)

  const quarantined = await drainedByOperator(observer)
  for (const subscription of ['any', 'ordered', 'echo'])
    expect(
      await wrongEffects((text, values) => server.sql(text, values), schema, subscription, events),
      subscription,
    ).toEqual({ lost: [], doubled: [] })
  expect(await abortedEffects((text) => server.sql(text), schema)).toEqual([])
  expect(await disorder((text, values) => server.sql(text, values), schema, 'ordered')).toEqual([])
  await expectLedger(observer, events)
  const { missing, repeated } = plainRuns(sink, events)
  expect(missing).toEqual([])
  const again = publisher.output.match(/again/g)?.length ?? 0
  console.log(
    `${workerKills} workers and ${killed} servers killed: ${acked.size} acknowledged (${again} published again), 0 lost, 0 effects doubled, ${repeated} plain runs repeated, ${quarantined} quarantined and redriven`,
  )
})
