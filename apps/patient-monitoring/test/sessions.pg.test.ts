// Who stays signed in beside whom, for how long, and how much of the ward one browser can take.
import { expect, test, vi } from 'vitest'
import { until } from '../../../test/spine.js'
import type { Guest } from '../src/site/sessions.js'
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
