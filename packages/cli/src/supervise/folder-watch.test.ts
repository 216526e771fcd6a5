import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FolderWatch } from './folder-watch.js'

let folder: string
let watch: FolderWatch
let told: string[]
let wake: () => void

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'eventspine-watch-'))
  mkdirSync(join(folder, 'src/node_modules'), { recursive: true })
  told = []
  wake = () => {}
  watch = new FolderWatch(join(folder, 'src'), (path) => {
    told.push(path)
    wake()
  })
  watch.start()
})

afterEach(() => {
  watch.stop()
  rmSync(folder, { recursive: true })
})

/** The next change that is told after `change`. */
async function toldAfter(change: () => void): Promise<string | undefined> {
  const next = new Promise<void>((resolve) => {
    wake = resolve
  })
  change()
  await next
  return told.at(-1)
}

const write = (path: string) => writeFileSync(join(folder, 'src', path), '')

it('tells a burst of changes once, and passes over what is no source', async () => {
  const burst = () => {
    for (let time = 0; time < 5; time += 1) write('a.ts')
    write('node_modules/b.ts')
    write('.c.ts')
    write('d.log')
  }
  expect(await toldAfter(burst)).toBe('a.ts')
  expect(await toldAfter(() => write('e.json'))).toBe('e.json')
  expect(told).toEqual(['a.ts', 'e.json'])
})

it('tells of a burst what concerns, and nothing where that is nothing', async () => {
  watch.stop()
  watch = new FolderWatch(
    join(folder, 'src'),
    (path) => {
      told.push(path)
      wake()
    },
    (path) => path.endsWith('a.ts'),
  )
  watch.start()
  const burst = () => {
    write('a.ts')
    write('data.json')
    mkdirSync(join(folder, 'src/incoming'))
  }
  expect(await toldAfter(burst)).toBe('a.ts')
  expect(told).toEqual(['a.ts'])
})

it('passes over what lies below in a package of its own, new or old', async () => {
  const other = (name: string) => {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'package.json'), '{}')
  }
  watch.stop()
  other('src/member')
  watch.start()
  other('moved')
  // Of a burst the last change is told: were these seen, it would be one of them.
  const burst = () => {
    write('b.ts')
    renameSync(join(folder, 'moved'), join(folder, 'src/moved'))
    write('member/a.ts')
  }
  expect(await toldAfter(burst)).toBe('b.ts')
  expect(told).toEqual(['b.ts'])
})

it('sees into new folders, and into those that took the place of others', async () => {
  expect(await toldAfter(() => mkdirSync(join(folder, 'src/new')))).toBe('new')
  expect(await toldAfter(() => write('new/a.ts'))).toBe(join('new', 'a.ts'))
  mkdirSync(join(folder, 'other'))
  const replace = () => {
    renameSync(join(folder, 'src/new'), join(folder, 'old'))
    renameSync(join(folder, 'other'), join(folder, 'src/new'))
  }
  expect(await toldAfter(replace)).toBe('new')
  expect(await toldAfter(() => write('new/b.ts'))).toBe(join('new', 'b.ts'))
})

it('goes on when the folder itself was replaced', async () => {
  const replace = () => {
    rmSync(join(folder, 'src'), { recursive: true })
    mkdirSync(join(folder, 'src'))
  }
  await toldAfter(replace)
  expect(await toldAfter(() => write('a.ts'))).toBe('a.ts')
})

it('says nothing any more once it is stopped', async () => {
  await toldAfter(() => write('a.ts'))
  watch.stop()
  watch.stop()
  write('b.ts')
  const other = new FolderWatch(join(folder, 'src'), () => wake())
  other.start()
  await toldAfter(() => write('c.ts'))
  other.stop()
  expect(told).toEqual(['a.ts'])
})
