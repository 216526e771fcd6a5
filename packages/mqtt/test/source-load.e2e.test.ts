// A thousand devices at once, by one worker, while their broker restarts: what the broker has taken over is in the log, once each.
import { expect, test, vi } from 'vitest'
import { Mosquitto, missing } from '../../../test/mosquitto.js'
import { Devices } from '../../../test/mqtt-devices.js'
import { afterTest, databaseUrl, freshSchema, sql, until, WorkerProcess } from '../../../test/spine.js'

vi.setConfig({ testTimeout: 300_000 })

const devicesCount = 1_000
const messages = 60_000
const waitMsMax = 120_000

interface Ledger extends Record<string, unknown> {
  readonly events: number
  readonly numbers: number
  readonly beds: number
  readonly least: number
  readonly most: number
  /** Events that stand before an earlier number of their bed. */
  readonly disordered: number
}

const ledgerOf = async (schema: string) =>
  (
    await sql<Ledger>(
      `SELECT count(*)::int AS events, count(DISTINCT n)::int AS numbers, count(DISTINCT key)::int AS beds,
         min(n) AS least, max(n) AS most, (count(*) FILTER (WHERE n < before))::int AS disordered
       FROM (SELECT key, (data ->> 'n')::int AS n, lag((data ->> 'n')::int) OVER (PARTITION BY key ORDER BY seq) AS before
             FROM ${schema}.event WHERE type = 'wards.vitals-taken') AS taken`,
    )
  )[0]

test.skipIf(missing)(
  'loses, repeats and disorders nothing of 1,000 devices over a restart of the broker',
  async () => {
    const broker = await Mosquitto.start()
    const schema = freshSchema()
    const worker = new WorkerProcess(new URL('./worker.ts', import.meta.url), {
      ...{ DATABASE_URL: databaseUrl, WARD_SCHEMA: schema, WARD_BROKER: broker.url },
    })
    await worker.says('connected')
    const devices = await Devices.connect({ port: broker.port, count: devicesCount })
    afterTest(() => devices.end())
    const publishing = devices.publish(messages)
    await until(() => devices.acknowledged > messages / 3, waitMsMax)
    await broker.stop()
    expect(devices.acknowledged).toBeLessThan(messages)
    await broker.start()
    await publishing
    expect(devices.acknowledged).toBe(messages)
    await until(async () => ((await ledgerOf(schema))?.numbers ?? 0) >= messages, waitMsMax)
    expect(await ledgerOf(schema)).toEqual({
      ...{ events: messages, numbers: messages, beds: devicesCount },
      ...{ least: 0, most: messages - 1, disordered: 0 },
    })
    expect(worker.output).toContain('a source ended by itself')
    // What is in hand when it is told to stop is stored and acknowledged.
    expect(await worker.stop()).toBe(0)
    expect((await ledgerOf(schema))?.events).toBe(messages)
  },
)
