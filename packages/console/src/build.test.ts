// In a checkout the console is built when it is missing or its sources moved on, and not otherwise.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildConsole, isBuilt } from './build.js'
import { Console } from './console.js'
import { home } from './sources.js'

// A small one of its own: that of this checkout is read by others meanwhile.
const folder = mkdtempSync(join(tmpdir(), 'eventspine-console-'))
const script = join(folder, 'web', 'main.ts')

beforeAll(async () => {
  mkdirSync(join(folder, 'web'))
  for (const file of ['package.json', 'vite.config.mjs']) cpSync(join(home, file), join(folder, file))
  const page = '<!doctype html><script type="module" src="./main.ts"></script>'
  writeFileSync(join(folder, 'web', 'index.html'), page)
  writeFileSync(script, 'document.title = "one"')
  expect(isBuilt(folder)).toBe(false)
  await buildConsole(folder)
})
afterAll(() => rmSync(folder, { recursive: true }))

test('a build of these sources is taken as it is', () => {
  const console = new Console(folder)
  console.start()
  const page = console.file('index.html')
  expect([console.state, page?.contentType]).toEqual(['ready', 'text/html; charset=utf-8'])
  expect(page?.bytes.toString()).toMatch(/src="\/console\/assets\/index-[\w-]{8}\.js"/)
})

test('one of other sources is built anew', async () => {
  writeFileSync(script, 'document.title = "two"')
  expect(isBuilt(folder)).toBe(false)
  await buildConsole(folder)
  expect(isBuilt(folder)).toBe(true)
})

test('a build that is stopped leaves nothing behind, and the next start begins anew', async () => {
  writeFileSync(script, 'document.title = "three"')
  const console = new Console(folder)
  console.start()
  expect(console.state).toBe('building')
  await console.stop()
  expect([console.state, isBuilt(folder), readdirSync(join(folder, 'dist'))]).toEqual([
    'stopped',
    false,
    ['web'],
  ])
})

test('a build that fails says why', async () => {
  writeFileSync(script, 'import "./nowhere.js"')
  await expect(buildConsole(folder)).rejects.toThrow(/nowhere/)
})
