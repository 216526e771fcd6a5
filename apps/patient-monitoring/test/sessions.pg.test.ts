// Who stays signed in beside whom, for how long, and how much of the ward one browser can take.
import { expect, test, vi } from 'vitest'
import { afterTest, until } from '../../../test/spine.js'
import type { Guest } from '../src/site/codes.js'
import { ann, opened, Visitor, wall } from './visitor.js'

vi.setConfig({ testTimeout: 60_000 })

test('the sixth browser of a carer ends the first; displays of one name, and people of other wards, end nobody', async () => {
  const { site, url } = await opened()
  const enter = async (guest: Guest) => {
    const visitor = new Visitor(url)
    await visitor.signIn(site, guest)
    return visitor
  }
  const isIn = async (visitor: Visitor) => (await visitor.ask('/api/session')).status === 200
  const carers = [await enter({ ...ann, ward: 'er' })]
  const displays: Visitor[] = []
  for (let count = 1; count <= 6; count += 1) {
    carers.push(await enter(ann))
    displays.push(await enter({ ...wall, person: 'ann' }))
  }
  expect(await Promise.all(displays.map(isIn))).toEqual([true, true, true, true, true, true])
  expect(await Promise.all(carers.map(isIn))).toEqual([true, false, true, true, true, true, true])
})

test('a display goes on as long as it watches, and a carer for a shift', async () => {
  const { stage, site, url } = await opened({ sessionsMs: 20 })
  const [display, carer] = [new Visitor(url), new Visitor(url)]
  await display.signIn(site, wall)
  await carer.signIn(site, ann)
  await stage.sql(`UPDATE ward.session SET expires_at = clock_timestamp() + interval '10 minutes'`)
  for (const each of [display, carer]) await watch(url, each)
  const hoursLeft = async (person: string) => {
    const [row] = await stage.sql<{ hours: number }>(
      'SELECT extract(epoch FROM expires_at - clock_timestamp())::float / 3600 AS hours FROM ward.session WHERE person = $1',
      [person],
    )
    return row?.hours ?? 0
  }
  await until(async () => (await hoursLeft('wall')) > 13)
  expect(await hoursLeft('ann')).toBeLessThan(1)
})

test('a browser keeps the cookie of a display for as long as it can', async () => {
  const { site, visitor } = await opened()
  const maxAge = async (guest: Guest) => {
    const [, code] = (await site.invitation(guest)).split('#')
    const { headers } = await visitor.ask('/api/session', { method: 'POST', body: { code } })
    return Number(/Max-Age=(\d+)/.exec(headers.get('set-cookie') ?? '')?.[1])
  }
  expect(await maxAge(wall)).toBe(400 * 86_400)
  expect(await maxAge(ann)).toBe(14 * 3_600)
})

test('one session has six live streams at most, and leaves the others theirs', async () => {
  const { site, url } = await opened()
  const [greedy, other] = [new Visitor(url), new Visitor(url)]
  for (const each of [greedy, other]) await each.signIn(site, wall)
  const taken = [...Array(6)].map(() => watch(url, greedy))
  expect(await Promise.all(taken)).toEqual([200, 200, 200, 200, 200, 200])
  expect(await watch(url, greedy)).toBe(429)
  expect(await watch(url, other)).toBe(200)
})

async function watch(url: string, { cookie }: Visitor): Promise<number> {
  const left = new AbortController()
  afterTest(() => left.abort())
  const { status } = await fetch(`${url}/api/live/wards/icu`, { headers: { cookie }, signal: left.signal })
  return status
}
