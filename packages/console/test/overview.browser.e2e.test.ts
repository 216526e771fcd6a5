// The overview with much to say: its figures stand first at every width, and the worst of what is wrong before the rest. In a real
// browser before a real server.
import { describe, expect, test } from 'vitest'
import { adminBefore } from './before.js'
import { hasChromium, narrow } from './browser.js'
import { World } from './world.js'

const breakers = 12

describe.skipIf(!hasChromium)('the overview (needs chromium)', () => {
  const world = new World()
  const { visit } = adminBefore(world, {
    prepare: async () => {
      const operator = world.spine.operator()
      for (let at = 0; at < breakers; at++)
        await operator.setBreaker({ name: 'payments', tenant: `t${at}` }, 'open', 'ada', 'trial')
      await world.publish([world.order('o-1', 'XX')])
      await world.dead(1)
    },
  })
  const region = (name: string) => visit.page.getByRole('region', { name, exact: true })
  const boxOf = async (name: string) => {
    const box = await region(name).boundingBox()
    if (box === null) throw new Error(`${name} is not drawn`)
    return { top: box.y, bottom: box.y + box.height }
  }

  for (const size of [{ width: 1_440, height: 900 }, narrow])
    test(`has its figures in sight at ${size.width} × ${size.height}, before what is to be said`, async () => {
      await visit.page.setViewportSize(size)
      await visit.at(world.url, '')
      await region('Findings').waitFor()
      const { top } = await boxOf('Findings')
      for (const tile of ['Events in', 'Furthest behind', 'Dead letters', 'Open breakers', 'Workers']) {
        const { bottom } = await boxOf(tile)
        expect(bottom).toBeLessThanOrEqual(size.height)
        expect(bottom).toBeLessThanOrEqual(top)
      }
      // How much there is stands above, in one line.
      await region('Verdict')
        .getByText(/\d+ warnings?/)
        .waitFor()
    })

  test('says of a finding what its page does, and no command where that has a button', async () => {
    await visit.at(world.url, '?findings=all')
    const letters = region('Findings').getByRole('listitem').filter({ hasText: 'dead letter waits' })
    await letters.waitFor()
    expect(await letters.innerText()).not.toContain('eventspine')
    await letters.getByRole('link', { name: 'See why, then redrive or discard them' }).click()
    expect(visit.page.url()).toContain('dead-letters?subscription=ship')
  })

  test('shows the worst findings, and all at a word, for a colleague too', async () => {
    await visit.at(world.url, '')
    const findings = region('Findings')
    const shown = () => findings.getByRole('listitem').count()
    expect(await shown()).toBe(5)
    await findings.getByRole('link', { name: /^and \d+ more$/ }).press('Enter')
    await findings.getByRole('link', { name: 'Only the worst' }).waitFor()
    expect(await shown()).toBeGreaterThan(breakers)
    await visit.page.reload()
    await visit.settled()
    expect(await shown()).toBeGreaterThan(breakers)
    await findings.getByRole('link', { name: 'Only the worst' }).press('Enter')
    await findings.getByRole('link', { name: /^and \d+ more$/ }).waitFor()
    expect(await shown()).toBe(5)
  })
})
