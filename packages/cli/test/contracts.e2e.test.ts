// Contracts over the command line: an app is deployed, its neighbour reads its events, and then somebody changes them.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ContractDifference, ContractFinding, RegisteredContract } from 'eventspine'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { eventspine, ownDatabase, Run } from './command.js'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const app = (name: string) => fileURLToPath(new URL(`./apps/contracts/${name}.ts`, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'eventspine-contracts-'))
let database: Awaited<ReturnType<typeof ownDatabase>>

beforeAll(async () => {
  database = await ownDatabase()
})
afterAll(async () => {
  await database.drop()
  rmSync(folder, { recursive: true })
})

const ran = (of: string, ...parameters: string[]) =>
  eventspine([...parameters, '--app', app(of), '--database-url', database.url])
const answer = async <Document>(of: string, ...parameters: string[]) =>
  (await ran(of, ...parameters, '--json')).document<Document>()

/** Starts a worker, which registers what it reads, and stops it. */
async function deployed(of: string): Promise<void> {
  const worker = new Run(['worker', '--json', '--app', app(of), '--database-url', database.url])
  await worker.record(({ message }) => message === 'ready')
  await worker.kill()
}

describe('contracts', () => {
  it('are registered by whoever starts', async () => {
    await ran('first', 'migrate')
    expect((await answer<{ contracts: [] }>('first', 'contracts')).contracts).toEqual([])
    await deployed('first')
    await deployed('other')
    const { contracts } = await answer<{ contracts: RegisteredContract[] }>('first', 'contracts', 'list')
    expect(contracts).toMatchObject([{ type: 'orders.placed', version: 1, app: 'shop' }])
    const { code, output } = await ran('first', 'contracts', 'check')
    expect({ code, output }).toEqual({ code: 0, output: '✓ Deploying this app breaks nobody.\n' })
  })

  it('say what a change would break, and for whom', async () => {
    const { code, output } = await ran('changed', 'contracts', 'check')
    expect(code).toBe(1)
    expect(output).toContain('orders.placed version 1, subscription payments-ledger of app payments')
    expect(output).toContain('/total may be missing, and the reader needs it')
    const { findings } = await answer<{ findings: ContractFinding[] }>('changed', 'contracts', 'check')
    expect(findings.map(({ kind, consumer }) => [kind, consumer?.name])).toEqual([
      ['changed', undefined],
      ['consumer', 'payments-ledger'],
      ['consumer', 'shop-ledger'],
    ])
    const { differences } = await answer<{ differences: ContractDifference[] }>(
      'changed',
      'contracts',
      'diff',
    )
    expect(differences).toMatchObject([{ change: 'changed', published: [{ path: '/total' }] }])
  })

  it('keep a changed schema from starting and from publishing, and say what to do', async () => {
    for (const parameters of [
      ['worker'],
      ['contracts', 'publish'],
      ['publish', 'orders.placed', '--data', '{"order":"1"}'],
    ]) {
      const refused = await ran('changed', ...parameters, '--json')
      expect(refused.code, refused.output + refused.errors).toBe(2)
      expect(refused.errors).toContain('CONTRACT_CHANGED')
      expect(refused.errors).toContain('Raise the version and add an upcast')
    }
  })

  it('name the other app that must be deployed before a new version', async () => {
    const { findings } = await answer<{ findings: ContractFinding[] }>('second', 'contracts', 'check')
    expect(findings).toMatchObject([
      {
        ...{ severity: 'breaking', kind: 'consumer', version: 2 },
        consumer: { name: 'payments-ledger', app: 'payments' },
      },
    ])
    // Its own stored events go through its upcaster.
    const { differences } = await answer<{ differences: ContractDifference[] }>('second', 'contracts', 'diff')
    expect(differences).toMatchObject([{ change: 'added', version: 2, stored: [] }])
    expect((await ran('second', 'contracts', 'publish')).code).toBe(0)
    expect((await ran('second', 'contracts', 'diff')).output).toContain('Nothing differs')
  })

  it('are replaced by who says so, and the audit keeps who', async () => {
    const asked = await ran('changed', 'contracts', 'publish', '--replace')
    expect(asked).toMatchObject({ code: 2, errors: expect.stringContaining('--yes') })
    const published = ['contracts', 'publish', '--replace', '--yes', '--actor', 'ann']
    expect(await answer('changed', ...published)).toMatchObject({
      replaced: [{ type: 'orders.placed', version: 1 }],
    })
    const { items } = await answer<{ items: object[] }>('changed', 'audit')
    expect(items[0]).toMatchObject({ actor: 'ann', action: 'contract.replace' })
    // What is left: somebody registered version 2, which this app does not know.
    const { findings } = await answer<{ findings: ContractFinding[] }>('changed', 'contracts', 'check')
    expect(findings.map(({ kind }) => kind)).toEqual(['older'])
  })

  it('are exported for the tools of others and for people', async () => {
    const into = (name: string) => join(folder, name)
    const exported = [
      '--asyncapi',
      into('asyncapi.json'),
      '--json-schema',
      into('schemas'),
      '--catalogue',
      into('pages'),
    ]
    const { written } = await answer<{ written: string[] }>('second', 'contracts', 'export', ...exported)
    expect(written.map((path) => path.slice(folder.length))).toEqual([
      ...['/asyncapi.json', '/schemas/orders.placed.v1.schema.json', '/schemas/orders.placed.v2.schema.json'],
      ...['/pages/README.md', '/pages/contexts/orders.md'],
    ])
    expect(JSON.parse(readFileSync(into('asyncapi.json'), 'utf8'))).toMatchObject({ asyncapi: '3.0.0' })
    expect(readFileSync(into('pages/contexts/orders.md'), 'utf8')).toContain(
      '| payments-ledger | payments | 1 |',
    )
    expect((await ran('second', 'contracts', 'export')).code).toBe(2)
    expect(JSON.parse((await ran('second', 'contracts', 'export', '--asyncapi', '-')).output)).toHaveProperty(
      'channels',
    )
  })
})

describe('events test-pattern', () => {
  const event = JSON.stringify({ type: 'orders.placed', data: { total: 90, lines: [{ sku: 'x' }] } })
  const tested = (pattern: unknown, ...more: string[]) =>
    eventspine(['events', 'test-pattern', '--pattern', JSON.stringify(pattern), '--event', event, ...more])

  it('answers by its exit code, and says why', async () => {
    const taken = await tested({ data: { lines: { sku: ['x'] } } })
    expect(taken).toMatchObject({ code: 0, output: expect.stringContaining('The pattern takes the event.') })
    const refused = await tested({ data: { total: [{ numeric: ['>', 100] }] } })
    expect(refused.code).toBe(1)
    expect(refused.output).toMatch(/✗ {2}data\.total {2}\{"numeric":\[">",100\]\} {2}90/)
    expect((await tested({ data: { total: [90] } }, '--json')).document()).toMatchObject({
      matches: true,
      conditions: [{ path: 'data.total', wanted: [90], found: [90], matches: true }],
    })
  })

  it.each([
    ['[{"type":"a"}]', '', /--event holds no event, but no object/],
    ['"orders.placed"', '', /no object/],
    ['null', '', /no object/],
    ['{"total":90}', '/type', /an object whose "type" is no text\. Write \{ "type": "…", "data": … \}/],
    ['{"type":7,"data":{}}', '/type', /no text/],
  ])('refuses an event that is none with its reason: %s', async (given, field, message) => {
    const pattern = JSON.stringify({ data: { total: [90] } })
    const flags = ['--pattern', pattern, '--event', given, '--json']
    const { code, errors } = await eventspine(['events', 'test-pattern', ...flags])
    expect(code).toBe(2)
    expect(JSON.parse(errors)).toMatchObject({
      ...{ code: 'EVENT_INVALID', field },
      message: expect.stringMatching(message),
    })
  })

  it('refuses a pattern that is none with its reason', async () => {
    const { code, errors } = await tested({ data: { total: 90 } }, '--json')
    expect(code).toBe(2)
    expect(JSON.parse(errors)).toMatchObject({
      ...{ code: 'PATTERN_INVALID', field: 'data.total' },
      message: expect.stringContaining('write a list'),
    })
  })
})
