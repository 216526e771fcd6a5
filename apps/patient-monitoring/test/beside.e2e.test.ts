// `npm start` as a whole: the order pipeline tells its story, then the ward runs beside it on the same database, both are seen through one
// address, and both end with the one process that a person knows of.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findFreePort } from '@eventspine/embedded'
import { expect, test, vi } from 'vitest'
import { afterTest, until } from '../../../test/spine.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 })

const start = fileURLToPath(new URL('../../../scripts/start.mjs', import.meta.url))

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'npm-start-'))
  // The embedded database runs under another user when the test is root.
  if (process.getuid?.() === 0) chmodSync(made, 0o711)
  afterTest(() => rmSync(made, { recursive: true, force: true, maxRetries: 10 }))
  return made
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

test('the ward is beside the orders, in one console, and ends with them', async () => {
  const environment = {
    ...{ EVENTSPINE_DIRECTORY: folder(), DATABASE_URL: '', NO_COLOR: '1', PORT: '0' },
    ...{ WARD_SITE_PORT: '0', WARD_MQTT_PORT: String(await findFreePort()) },
  }
  const child = spawn(process.execPath, [start], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  afterTest(() => ended(child))
  afterTest(() => child.kill('SIGTERM'))
  let told = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      told += chunk
    })
  const found = (pattern: RegExp) => until(() => pattern.exec(told)?.[1] ?? fault(child, told), 240_000)
  const board = new URL(await found(/board {3}(\S+)/))
  expect((await fetch(new URL('/sign-in', board))).status).toBe(200)
  const address = new URL(await found(/console: (\S+)/))
  const asked = async (path: string) => {
    const headers = { authorization: `Bearer ${address.hash.replace('#key=', '')}` }
    const answer = await fetch(new URL(path, address), { headers })
    return (await answer.json()) as { readonly items: readonly Record<string, unknown>[] }
  }
  // Readings came in by the ward's process, and its functions handled them: the orders' API tells of it.
  const completed = async (name: string) =>
    (await asked('/v1/subscriptions')).items.find((each) => each['name'] === name)?.['completed']
  await until(async () => Number(await completed('qualify')) > 0, 60_000)
  expect(Number(await completed('validate'))).toBeGreaterThan(0)
  child.kill('SIGTERM')
  await ended(child)
  await until(
    () =>
      fetch(board).then(
        () => false,
        () => true,
      ),
    30_000,
  )
  expect(told).not.toMatch(/does not run|did not end/)
})

function fault(child: ChildProcess, told: string): undefined {
  if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}: ${told}`)
  return undefined
}
