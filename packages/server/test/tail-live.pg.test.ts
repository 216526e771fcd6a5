// The stream for who follows live: what cannot be kept up with is left out, and all of it is counted.
import { type ClientRequest, get, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Fixture } from './fixture.js'

const fixture = new Fixture({ limits: { tailPollMs: 50, tailLiveEventsMax: 64, tailStallMsMax: 30_000 } })
beforeAll(() => fixture.start())
afterAll(() => fixture.stop())

/** A reader that reads when it is told to. */
class Reader {
  readonly ids: string[] = []
  readonly leftOut: { readonly events: number; readonly exact: boolean; readonly behind: number }[] = []
  /** Of the last message. */
  place = ''
  #text = ''
  #connected = false
  #response: IncomingMessage | undefined
  readonly #request: ClientRequest

  constructor(query: string, headers: Record<string, string> = {}) {
    const options = { headers, agent: false }
    this.#request = get(`${fixture.url}/v1/events/tail?pace=live&${query}`, options, (response) => {
      this.#response = response.setEncoding('utf8').on('data', (text: string) => this.#take(text))
      response.on('error', () => {})
    }).on('error', () => {})
  }

  #take(text: string): void {
    const blocks = (this.#text + text).split('\n\n')
    this.#text = blocks.pop() ?? ''
    for (const block of blocks) {
      this.#connected ||= block.includes(': connected')
      const [, id, type, data] = /^id: (.+)\n(?:event: (.+)\n)?data: (.+)$/.exec(block) ?? []
      if (id === undefined || data === undefined) continue
      this.place = id
      if (type === 'left-out') this.leftOut.push({ ...JSON.parse(data), behind: this.ids.length })
      else this.ids.push((JSON.parse(data) as { readonly id: string }).id)
    }
  }

  async connected(): Promise<this> {
    await fixture.until(async () => this.#connected, Boolean)
    return this
  }

  /** From here on the network alone takes what is sent, as much as it holds. */
  stall(): void {
    this.#response?.pause()
  }

  goOn(): void {
    this.#response?.resume()
  }

  /** Sent and left out, together. */
  get told(): number {
    return this.leftOut.reduce((sum, { events }) => sum + events, this.ids.length)
  }

  until(told: number): Promise<number> {
    return fixture.until(
      async () => this.told,
      (own) => own >= told,
    )
  }

  close(): void {
    this.#request.destroy()
  }
}

async function publish(key: string, ids: readonly string[], data: unknown = 'x'): Promise<void> {
  const json = ids.map((id) => ({ type: 'tests.anything', id, key, data }))
  expect((await fixture.send('/v1/events', { json })).status).toBe(202)
}

const names = (prefix: string, count: number) => [...Array(count).keys()].map((at) => `${prefix}-${at}`)

test('one that does not read is brought to what is newest, and told how many were left out', async () => {
  const reader = await new Reader('key=slow').connected()
  reader.stall()
  // 30 MB: more than all buffers of a loopback connection, so that most of it cannot have been sent.
  const large = Array(100).fill('z'.repeat(1_000))
  const all: string[] = []
  for (let round = 0; round < 30; round++) {
    const ids = names(`slow${round}`, 10)
    await publish('slow', ids, large)
    all.push(...ids)
  }
  reader.goOn()
  await reader.until(all.length)
  expect(reader.told).toBe(all.length)
  const [first] = reader.leftOut
  expect(first?.exact).toBe(true)
  // What was sent before it is what the network held, and the page that the server had in hand.
  expect(first?.behind).toBeLessThan(all.length / 2)
  expect(reader.ids).toEqual(all.filter((id) => reader.ids.includes(id)))
  await publish('slow', ['slow-last'])
  await reader.until(all.length + 1)
  expect(reader.ids.at(-1)).toBe('slow-last')
  reader.close()
})

test('of a flood some are sent and the others counted, and then it is whole again', async () => {
  const reader = await new Reader('key=flood').connected()
  const other = await new Reader('key=flood&type=tests.nothing').connected()
  const rounds = [...Array(10).keys()].map((round) => names(`flood${round}`, 100))
  await Promise.all(rounds.map((ids) => publish('flood', ids)))
  await reader.until(1_000)
  expect(reader.told).toBe(1_000)
  expect(reader.ids.length).toBeGreaterThanOrEqual(64)
  expect(reader.leftOut.length).toBeGreaterThan(0)
  for (const id of names('quiet', 20)) await publish('flood', [id])
  await reader.until(1_020)
  expect([reader.told, reader.ids.slice(-20)]).toEqual([1_020, names('quiet', 20)])
  // Others' events are none that were left out here.
  expect(other.told).toBe(0)
  reader.close()
  other.close()
})

test('who comes back goes on behind what it was told of, sent or left out', async () => {
  const reader = await new Reader('key=back').connected()
  await Promise.all([...Array(4).keys()].map((round) => publish('back', names(`back${round}`, 100))))
  await reader.until(400)
  reader.close()
  await publish('back', ['away'])
  const again = await new Reader('key=back', { 'last-event-id': reader.place }).connected()
  await publish('back', ['here'])
  await again.until(2)
  expect([again.ids, again.leftOut]).toEqual([['away', 'here'], []])
  again.close()
})
