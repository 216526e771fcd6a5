// Fails a test file that leaves a child process, a connection or a listening port behind: in production that is a
// worker that never ends.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, expect } from 'vitest'

const watched = ['ProcessWrap', 'TCPSocketWrap', 'TCPServerWrap']
const settleMsMax = 3_000
const pollMs = 20

const before = openResources()

afterAll(async () => {
  for (let waitedMs = 0; waitedMs < settleMsMax && leftovers().length > 0; waitedMs += pollMs)
    await delay(pollMs)
  expect(leftovers(), 'left open by this test file: close it in afterEach or afterAll').toEqual([])
})

function leftovers(): string[] {
  const open = openResources()
  return watched.filter((kind) => count(open, kind) > count(before, kind))
}

function openResources(): string[] {
  return process.getActiveResourcesInfo()
}

function count(resources: string[], kind: string): number {
  return resources.filter((name) => name === kind).length
}
