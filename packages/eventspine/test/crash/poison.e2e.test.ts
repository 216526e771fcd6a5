// Events that kill or block the process that handles them: put aside after a few deaths, their neighbours complete (I19).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Eventspine } from 'eventspine'
import { expect, it } from 'vitest'
import { afterTest, databaseUrl, freshSchema, sql, until } from '../support.js'
import { apps, effectTable, happened } from './apps.js'
import { plainRuns } from './ledger.js'
import { Supervisor } from './processes.js'

const events = 40
const guilty = { plain: 7, any: 9 }
/** Two subscriptions, each with an event that takes two deaths to be suspected and two more to be proved guilty. */
const deathsMax = 10

it.each(['deadly', 'blocking'] as const)(
  'quarantines a %s event and completes its neighbours',
  {
    timeout: 90_000,
  },
  async (app) => {
    const schema = freshSchema()
    const directory = mkdtempSync(join(tmpdir(), 'eventspine-poison-'))
    afterTest(async () => rmSync(directory, { recursive: true, force: true }))
    const sink = join(directory, 'plain.log')
    writeFileSync(sink, '')
    const observer = new Eventspine(apps[app]({ schema, sink }), { databaseUrl, schema, work: false })
    afterTest(() => observer.stop())
    await observer.start()
    await sql(effectTable(schema))
    const supervisor = new Supervisor({ databaseUrl, schema, sink, app }).start()
    await supervisor.worker?.says('ready')
    await observer.publishMany(
      Array.from({ length: events }, (_, n) => ({ event: happened, data: { n, key: `k${n % 5}` } })),
    )
    const operator = observer.operator()
    await until(async () => {
      const subscriptions = await operator.subscriptions()
      return subscriptions.every(({ completed, dead }) => completed === events - 1 && dead === 1)
    }, 75_000)

    const { items } = await operator.deadLetters()
    expect(
      items
        .map(({ subscription, event, failure }) => [
          subscription,
          (event.data as { n: number }).n,
          failure.name,
        ])
        .sort(),
    ).toEqual([
      ['any', guilty.any, 'ProcessDeath'],
      ['plain', guilty.plain, 'ProcessDeath'],
    ])
    expect(items[0]?.failure.message).toContain('Fix the handler, then redrive')
    for (const each of (await operator.doctor()).subscriptions)
      expect(each).toMatchObject({ retrying: 0, balanced: true })
    expect(plainRuns(sink, events).missing).toEqual([guilty.plain])
    const doubled = await sql(`SELECT n FROM ${schema}.effect GROUP BY n HAVING count(*) <> 1`)
    expect(doubled).toEqual([])
    expect(supervisor.deaths).toBeLessThanOrEqual(deathsMax)
    console.log(`${app}: ${supervisor.deaths} deaths until both were put aside`)
  },
)
