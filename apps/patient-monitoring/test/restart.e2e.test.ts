// `npm run ward`, stopped and started again on the same data: who was put on duty stays there, and the beds go on speaking.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findFreePort } from '@eventspine/embedded'
import { expect, test, vi } from 'vitest'
import { afterTest, until } from '../../../test/spine.js'
import { Database } from '../src/database.js'
import { freshDatabase } from './stage.js'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 30_000 })

const program = fileURLToPath(new URL('../../../scripts/ward.mjs', import.meta.url))

class Run {
  readonly #child: ChildProcess
  #told = ''

  constructor(environment: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [program], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk) => {
        this.#told += chunk
      })
    afterTest(() => this.stop())
  }

  /** What it has said of this form. */
  says(pattern: RegExp): Promise<RegExpExecArray> {
    return until(() => {
      if (this.#child.exitCode !== null) throw new Error(`It has ended: ${this.#told}`)
      return pattern.exec(this.#told)
    }, 60_000)
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
  }
}

test('who was put on duty stays, and the beds go on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ward-'))
  afterTest(() => rmSync(folder, { recursive: true, force: true }))
  const databaseUrl = await freshDatabase()
  const environment = {
    ...{ DATABASE_URL: databaseUrl, EVENTSPINE_DIRECTORY: folder, NO_COLOR: '1' },
    ...{ WARD_SITE_PORT: '0', WARD_API_PORT: '0', WARD_MQTT_PORT: String(await findFreePort()) },
  }
  const database = new Database(() => databaseUrl)
  afterTest(() => database.stop())
  const onDuty = async () =>
    (await database.query<{ person: string }>('SELECT person FROM ward.duty ORDER BY position'))
      .map(({ person }) => person)
      .join()
  const newest = async () =>
    (await database.query<{ at: Date | null }>('SELECT max(last_reading_at) AS at FROM ward.board'))[0]?.at ??
    new Date(0)

  const first = new Run(environment)
  const [, api, key] = await first.says(/console (\S+)\/console\/ {3}key (\S+)/)
  await until(async () => (await onDuty()) === 'carer,second,lead')
  const answer = await fetch(`${api}/wards/icu/duty`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ people: ['ann'] }),
  })
  expect(answer.status).toBe(202)
  await until(async () => (await onDuty()) === 'ann')
  await until(async () => (await newest()).getTime() > 0)
  await first.stop()
  const before = await newest()

  const second = new Run(environment)
  await second.says(/console \S+/)
  await until(async () => (await newest()) > before, 30_000)
  await second.stop()
  expect(await onDuty()).toBe('ann')
  expect(
    await database.query(
      `SELECT FROM eventspine.event WHERE type IN ('ward.device-silent', 'ward.duty-set')`,
    ),
  ).toHaveLength(2)
})
