// A run that is killed leaves its folders to the small process beside it, and one that cleared up by itself is left alone.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { afterTest, until } from '../../support.js'

const folder = () => {
  const path = mkdtempSync(join(tmpdir(), 'leftovers-'))
  mkdirSync(join(path, 'postgres/data'), { recursive: true })
  afterTest(async () => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Holds the folder, says so, and lives until it is killed or, with `ends`, until it has cleared up. */
const holder = (path: string, ends: boolean) => {
  const text = `import { Leftovers } from ${JSON.stringify(join(import.meta.dirname, 'leftovers.ts'))}
const held = new Leftovers(${JSON.stringify(join(path, 'postgres'))}, ${JSON.stringify(path)})
console.log('holds')
if (${ends}) held.none()
else setInterval(() => {}, 1_000)`
  const parameters = ['--import', 'tsx', '--conditions=source', '--input-type=module', '--eval', text]
  return spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'] })
}

it('removes what a killed process held', async () => {
  const path = folder()
  const child = holder(path, false)
  await once(child.stdout, 'data')
  expect(existsSync(path)).toBe(true)
  child.kill('SIGKILL')
  await until(() => !existsSync(path))
})

it('removes nothing of one that has nothing left', async () => {
  const [left, killed] = [folder(), folder()]
  await once(holder(left, true), 'exit')
  // The other is gone by the time that this one would be.
  const child = holder(killed, false)
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await until(() => !existsSync(killed))
  expect(existsSync(left)).toBe(true)
})
