import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withLock } from './lock.js'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-test-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

test.each([
  ['nobody', undefined],
  ['a process that is gone', JSON.stringify({ pid: process.pid, startedAt: 'earlier' })],
  ['somebody who cannot be read', '{'],
])('one at a time, when the lock is first held by %s', async (_, content) => {
  const path = join(folder, 'lock')
  if (content !== undefined) writeFileSync(path, content)
  let inside = 0
  let most = 0
  const work = async () => {
    inside += 1
    most = Math.max(most, inside)
    await turn()
    inside -= 1
  }
  await Promise.all(Array.from({ length: 10 }, () => withLock(path, work)))
  expect(most).toBe(1)
  expect(readdirSync(folder)).toEqual([])
})

test('is given back when the work fails', async () => {
  const path = join(folder, 'lock')
  await expect(withLock(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await withLock(path, async () => 'yes')).toBe('yes')
})
