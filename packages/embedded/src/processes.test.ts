import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { isAlive, ownIdentity, startOf, waitUntil } from './processes.js'

test('a process is the one that began then, not any that has its number', () => {
  expect(isAlive(ownIdentity())).toBe(true)
  expect(isAlive({ pid: process.pid, startedAt: 'earlier' })).toBe(false)
})

test('a process that ended is gone, also while its parent has not asked for it', async () => {
  // The shell becomes a sleep that never asks for the child which it inherits: the child stays a zombie.
  const parent = spawn('/bin/sh', ['-c', 'sleep 30 & echo $!; exec sleep 30'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  try {
    const [line] = await once(parent.stdout, 'data')
    const child = Number(String(line))
    expect(startOf(child)).toBeDefined()
    process.kill(child, 'SIGKILL')
    expect(await waitUntil(() => startOf(child) === undefined, 10_000)).toBe(true)
  } finally {
    parent.kill('SIGKILL')
    await once(parent, 'close')
  }
})
