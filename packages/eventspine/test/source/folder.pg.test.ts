// Files of a folder that become events: which, when, once, and where they lie then.
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, utimesSync } from 'node:fs'
import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineEvent, defineSubscription, EventspineError, TransientError } from 'eventspine'
import { type FolderSourceOptions, fileSource, folderSource } from 'eventspine/source'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { afterTest, freshSchema, running, until } from '../support.js'
import { arrived, folderApp } from './folder-app.js'

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'eventspine-folder-'))
  afterTest(() => rm(folder, { recursive: true, force: true }))
  return folder
}

interface Arrived {
  readonly path: string
  readonly name: string
  readonly sizeBytes: number
  readonly sha256: string
}

async function watching(options: Partial<FolderSourceOptions> = {}, folder = freshFolder()) {
  const spine = await running(folderApp(folder, options), freshSchema())
  const all = async () =>
    (await spine.operator().events({ type: arrived.type, order: 'oldest', limit: 500 })).items.map(
      ({ data }) => data as Arrived,
    )
  const events = (count: number) => until(async () => ((await all()).length >= count ? await all() : null))
  return { spine, folder, events, put: (name: string, text: string) => writeFile(join(folder, name), text) }
}

const files = (folder: string) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)

test('a file becomes one event, and lies where the event says', async () => {
  const { folder, events, put } = await watching()
  const text = 'device,pulse\nward-1,72\n'
  await put('pulse.csv', text)
  const [event, ...others] = await events(1)
  expect(others).toEqual([])
  const sha256 = createHash('sha256').update(text).digest('hex')
  expect(event).toMatchObject({ name: 'pulse.csv', sizeBytes: text.length, sha256 })
  expect(event?.path.startsWith(join(folder, 'processed'))).toBe(true)
  expect(readFileSync(event?.path ?? '', 'utf8')).toBe(text)
  await until(() => files(folder).length === 0)
})

test('names are as odd as their senders; links, folders, hidden files and others are left alone', async () => {
  const { spine, folder, events, put } = await watching({ pattern: /\.csv$/g })
  const odd = ['a b.csv', '%2e%2e.csv', 'ü\u2028\n"\'.csv', '-rf.csv', `${'x'.repeat(240)}.csv`]
  for (const name of odd) await put(name, name)
  for (const name of ['.hidden.csv', 'report.pdf']) await put(name, name)
  await symlink('/etc/passwd', join(folder, 'link.csv'))
  await mkdir(join(folder, 'folder.csv'))
  expect(new Set((await events(odd.length)).map(({ name }) => name))).toEqual(new Set(odd))
  await put('last.csv', 'last')
  expect(await events(odd.length + 1)).toHaveLength(odd.length + 1)
  await until(() => files(folder).length === 2)
  expect(files(folder).sort()).toEqual(['.hidden.csv', 'report.pdf'])
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(['folder.csv', 'link.csv']))
  const ended = (await spine.metrics()).find(({ name }) => name === 'eventspine_source_ended_total')
  expect(ended?.value ?? 0).toBe(0)
})

test('a file that is still written is not taken before it rests', async () => {
  const { folder, events, put } = await watching({ settleMs: 300 })
  await put('marker.csv', 'marker')
  await put('growing.csv', '')
  let marker = false
  let length = 0
  // For as long as it takes another one to come to rest, and a second one behind that.
  while (!marker || length < 40) {
    await appendFile(join(folder, 'growing.csv'), 'x')
    length++
    await new Promise((resolve) => setTimeout(resolve, 25))
    marker ||= (await events(0)).some(({ name }) => name === 'marker.csv')
  }
  expect((await events(1)).map(({ name }) => name)).toEqual(['marker.csv'])
  await writeFile(join(folder, '.part'), 'whole')
  await rename(join(folder, '.part'), join(folder, 'renamed.csv'))
  const growing = (await events(3)).find(({ name }) => name === 'growing.csv')
  expect(growing?.sizeBytes).toBe(length)
})

test('the same file that is sent twice is one event; another under its name is another', async () => {
  const { folder, events, put } = await watching()
  const at = new Date('2026-01-31T12:00:00Z')
  const send = async (text: string) => {
    await put('.new', text)
    utimesSync(join(folder, '.new'), at, at)
    await rename(join(folder, '.new'), join(folder, 'report.csv'))
    await until(() => !existsSync(join(folder, 'report.csv')))
  }
  await send('one')
  await send('one')
  await send('two')
  const all = await events(2)
  expect(all).toHaveLength(2)
  expect(all.map(({ path }) => readFileSync(path, 'utf8'))).toEqual(['one', 'two'])
})

test('a file stays while the log is away', async () => {
  let away = true
  let asked = 0
  const { folder, events, put } = await watching({
    to({ path, name, sizeBytes, sha256 }) {
      asked++
      if (away) throw new EventspineError('UNAVAILABLE', 'away', { retryAfterMs: 50 })
      return { event: arrived, data: { path, name, sizeBytes, sha256 } }
    },
  })
  await put('a.csv', 'a')
  await until(() => asked >= 5)
  expect(files(folder)).toEqual(['a.csv'])
  away = false
  expect(await events(1)).toHaveLength(1)
  await until(() => files(folder).length === 0)
})

test('a file that cannot become an event is a dead letter, and lies in the archive', async () => {
  const { spine, folder, put } = await watching({
    to: ({ name }) => ({ event: arrived, data: { name } }),
  })
  await put('a.csv', 'a')
  await until(() => files(folder).length === 0)
  const kept = await until(
    async () => (await spine.operator().events({ type: 'eventspine.message-kept' })).items[0],
  )
  const { body } = kept.data as { readonly body: string }
  const { path } = JSON.parse(body) as Arrived
  expect(readFileSync(path, 'utf8')).toBe('a')
})

test('a file that cannot be taken is a finding of the doctor, and holds back no other', async () => {
  const { spine, folder, events, put } = await watching()
  const at = new Date('2026-01-31T12:00:00Z')
  const sha256 = createHash('sha256').update('bad').digest('hex')
  const id = createHash('sha256').update(JSON.stringify(['bad.csv', sha256, String(at.getTime())]))
  await mkdir(join(folder, 'processed'))
  // Where it would lie there is something else.
  await put(join('processed', id.digest('hex').slice(0, 2)), '')
  await put('bad.csv', 'bad')
  utimesSync(join(folder, 'bad.csv'), at, at)
  await until(async () => {
    const { findings } = await spine.operator().doctor()
    return findings.some(
      ({ subject, message }) => subject === 'source incoming' && /ENOTDIR|EEXIST/.test(message),
    )
  })
  for (const name of ['a.csv', 'b.csv', 'c.csv']) await put(name, name.repeat(3))
  expect((await events(3)).map(({ name }) => name).sort()).toEqual(['a.csv', 'b.csv', 'c.csv'])
  expect(files(folder)).toContain('bad.csv')
})

test('a file whose name is no text is a finding of the doctor, and holds back no other', async () => {
  const { spine, folder, events, put } = await watching()
  const named = Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9]), Buffer.from('.csv')])
  await writeFile(named, 'latin')
  await until(async () => {
    const { findings } = await spine.operator().doctor()
    return findings.some(
      ({ subject, message }) => subject === 'source incoming' && /not in UTF-8.*Rename it/.test(message),
    )
  })
  await put('a.csv', 'one')
  expect((await events(1)).map(({ name }) => name)).toEqual(['a.csv'])
  await rename(named, join(folder, 'café.csv'))
  expect((await events(2)).map(({ name }) => name)).toEqual(['a.csv', 'café.csv'])
})

test('records of a file are imported by its handler, which goes on where it was', async () => {
  const folder = freshFolder()
  const measured = defineEvent({ type: 'wards.measured', schema: z.object({ pulse: z.int() }) })
  const readings = fileSource({
    name: 'readings',
    format: 'csv',
    to: (row) => ({ event: measured, data: { pulse: Number(row['pulse']) } }),
  })
  const app = folderApp(folder, {}, [
    readings,
    defineSubscription({
      ...{ name: 'import-readings', on: arrived },
      handle: async (event, { signal }) => {
        const standing = await spine.sources.importFile('readings', event.data.path, { signal })
        if (standing.state !== 'completed') throw new TransientError('There is more of it')
      },
    }),
  ])
  const spine = await running(app, freshSchema())
  await writeFile(join(folder, 'pulse.csv'), 'pulse\n71\n72\n')
  const events = await until(async () => {
    const { items } = await spine.operator().events({ type: measured.type, order: 'oldest' })
    return items.length === 2 ? items : null
  })
  expect(events.map(({ data }) => data)).toEqual([{ pulse: 71 }, { pulse: 72 }])
})

test('a folder that is not there is a finding of the doctor', async () => {
  const { spine } = await watching({}, join(tmpdir(), 'eventspine-no-such-folder'))
  await until(async () => {
    const { findings } = await spine.operator().doctor()
    return findings.some(({ subject, message }) => subject === 'source incoming' && /ENOENT/.test(message))
  })
})

test('wrong options are refused with what to write', () => {
  const wrong = (options: object) => () =>
    folderSource({ name: 'incoming', directory: '/srv/incoming', to: () => null, ...options })
  expect(wrong({ directory: '' })).toThrow(/directory must be the path/)
  expect(wrong({ pattern: '*.csv' })).toThrow(/pattern must be a regular expression/)
  expect(wrong({ settleMs: 1 })).toThrow(/settleMs is 1; write a whole number from 100/)
  expect(wrong({ archive: '.' })).toThrow(/archive is the directory itself/)
})
