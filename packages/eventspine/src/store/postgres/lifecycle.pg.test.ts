import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type OwnSchema, ownSchema } from '../../../test/own-schema.js'
import { silentLogger } from '../../observe/log.js'
import { lifecycleStatements } from './lifecycle.js'
import { readMigrations, requireMigrations, runMigrations } from './migrate.js'

const schemas: OwnSchema[] = []
const fresh = () => {
  const own = ownSchema()
  schemas.push(own)
  return own
}
afterEach(async () => {
  await Promise.all(schemas.splice(0).map((own) => own.drop()))
})

const names = async () => (await readMigrations()).map((migration) => migration.name)

describe('migrate', () => {
  test('applies everything once, however many processes start together', async () => {
    const own = fresh()
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => lifecycleStatements(own.another(), silentLogger).migrate()),
    )
    expect(answers.filter((answer) => answer.length > 0)).toEqual([await names()])
    expect(await lifecycleStatements(own.database, silentLogger).migrate()).toEqual([])
    expect(await own.sql('SELECT epoch FROM eventspine.epoch')).toEqual([{ epoch: 1 }])
    expect(await own.sql('SELECT number, epoch FROM eventspine.tick')).toEqual([{ number: 0, epoch: 1 }])
  })

  test('leaves nothing behind when a migration fails', async () => {
    const own = fresh()
    const broken = {
      name: '0002_broken',
      kind: 'additive',
      text: '-- additive: x\nCREATE TABLE eventspine.b (b nonsense)',
    } as const
    await expect(
      runMigrations(own.database, [...(await readMigrations()), broken], async () => {}),
    ).rejects.toThrow('nonsense')
    expect(await own.sql("SELECT to_regnamespace('" + own.database.schema + "') IS NULL AS gone")).toEqual([
      { gone: true },
    ])
  })

  test('applies only what is missing, and a migration must say whether it breaks', async () => {
    const own = fresh()
    await lifecycleStatements(own.database, silentLogger).migrate()
    const folder = await mkdtemp(join(tmpdir(), 'migrations-'))
    await writeFile(join(folder, '0001_log_and_delivery.sql'), '-- additive: never read\nnonsense')
    await writeFile(
      join(folder, '0002_more.sql'),
      '-- additive: more\nCREATE TABLE eventspine.more (a int); CREATE TABLE eventspine.even_more (a int)',
    )
    expect(await runMigrations(own.database, await readMigrations(folder), async () => {})).toEqual([
      '0002_more',
    ])
    await writeFile(join(folder, '0003_silent.sql'), 'CREATE TABLE eventspine.silent (a int)')
    await expect(readMigrations(folder)).rejects.toThrow('0003_silent.sql must begin with')
    await rm(folder, { recursive: true })
  })
})

describe('open', () => {
  test('refuses a database that was not migrated, with the command', async () => {
    const own = fresh()
    await expect(lifecycleStatements(own.database, silentLogger).open()).rejects.toMatchObject({
      code: 'SCHEMA_OUTDATED',
      message: expect.stringContaining('eventspine migrate'),
    })
  })

  test('refuses a schema behind the code and accepts one ahead of it', async () => {
    const own = fresh()
    const lifecycle = lifecycleStatements(own.database, silentLogger)
    await lifecycle.migrate()
    const newer = { name: '9999_later', kind: 'additive', text: '' } as const
    await expect(requireMigrations(own.database, [newer])).rejects.toMatchObject({ code: 'SCHEMA_OUTDATED' })
    await own.sql("INSERT INTO eventspine.migration (name) VALUES ('9999_later')")
    await lifecycle.open()
    await lifecycle.ping()
  })

  test('begins a log whose tables came without rows', async () => {
    const own = fresh()
    const lifecycle = lifecycleStatements(own.database, silentLogger)
    await lifecycle.migrate()
    await own.sql('DELETE FROM eventspine.epoch')
    await own.sql('DELETE FROM eventspine.tick')
    await lifecycle.open()
    expect(await own.sql('SELECT count(*)::int AS ticks FROM eventspine.tick')).toEqual([{ ticks: 1 }])
  })

  test('lets one process at a time prepare', async () => {
    const own = fresh()
    const order: string[] = []
    const prepare = (name: string) =>
      lifecycleStatements(own.another(), silentLogger).alone('prepare', async () => {
        order.push(name)
        await own.sql('SELECT pg_sleep(0.05)')
        order.push(name)
      })
    await Promise.all(['a', 'b', 'c'].map(prepare))
    const [first, second, third] = [order[0], order[2], order[4]]
    expect(order).toEqual([first, first, second, second, third, third])
  })

  test('says that the server is away, and not more', async () => {
    const own = fresh()
    const { Database } = await import('./database.js')
    const nobody = new Database({ url: 'postgres://nobody@127.0.0.1:1/none' }, own.database.clock)
    await expect(lifecycleStatements(nobody, silentLogger).ping()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    })
    await nobody.close()
  })
})

test('the committed schema snapshot is what the migrations make', async () => {
  const own = fresh()
  await lifecycleStatements(own.database, silentLogger).migrate()
  const text = `${JSON.stringify(await describeSchema(own), null, 2)}\n`
  await expect(text).toMatchFileSnapshot('../../../migrations/schema.snapshot.json')
})

// Partitions by day and by transaction are no part of it.
async function describeSchema(own: OwnSchema): Promise<unknown> {
  const [row] = await own.sql<{ tables: string }>(
    `SELECT json_object_agg(name, part ORDER BY name)::text AS tables FROM (
       SELECT c.relname AS name, json_build_object(
         'kind', c.relkind, 'options', c.reloptions, 'partitioned by', pg_get_partkeydef(c.oid),
         'columns', (SELECT json_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
             CASE a.attidentity WHEN 'a' THEN 'identity' END, 'default ' || pg_get_expr(d.adbin, d.adrelid)) ORDER BY a.attnum)
           FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
         'indexes', (SELECT json_agg(pg_get_indexdef(i.indexrelid) ORDER BY pg_get_indexdef(i.indexrelid)) FROM pg_index i WHERE i.indrelid = c.oid),
         'constraints', (SELECT json_agg(k.conname || ' ' || pg_get_constraintdef(k.oid) ORDER BY k.conname) FROM pg_constraint k
           WHERE k.conrelid = c.oid AND k.contype <> 'n')) AS part
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'S') AND (NOT c.relispartition OR c.relname ~ '_default$')) AS parts`,
    [own.database.schema],
  )
  return JSON.parse((row?.tables ?? '{}').replaceAll(`${own.database.schema}.`, 'eventspine.'))
}
