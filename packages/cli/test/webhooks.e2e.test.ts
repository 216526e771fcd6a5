// Endpoints of webhooks from the command line: what is disabled is seen, and enabled again.
import type { DoctorReport } from 'eventspine'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { Day } from './day.js'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let day: Day

beforeAll(async () => {
  day = await Day.begin(new URL('./apps/hooks.ts', import.meta.url).pathname)
  await day.answered('migrate')
})

afterAll(() => day.end())

it('are disabled, listed, found by the doctor, and enabled', async () => {
  expect(await day.answered('webhooks')).toEqual({ items: [] })
  const disable = ['webhooks', 'disable', 'partners', 'ep-1', '--reason', 'they asked for it']
  expect(await day.answered(...disable, '--actor', 'ann')).toEqual({
    ...{ webhooks: 'partners', endpoint: 'ep-1', state: 'disabled' },
  })
  expect(await day.answered('webhooks', 'list', '--state', 'disabled')).toMatchObject({
    items: [{ endpoint: 'ep-1', tenant: 'default', disabled: { by: 'ann', reason: 'they asked for it' } }],
  })
  expect(await day.answered('webhooks', 'list', '--tenant', 'acme')).toEqual({ items: [] })
  const { output } = await day.command(['webhooks', 'list'])
  expect(output).toMatch(/^partners +default +ep-1 +disabled by ann .* they asked for it/m)
  const { findings } = (await day.command(['doctor', '--json'])).document<DoctorReport>()
  expect(findings.map(({ subject }) => subject)).toContain('webhooks partners')
  expect((await day.command(['webhooks', 'enable', 'partners', 'ep-1'])).output).toMatch(
    /✓ ep-1 is enabled\. .*redrive --subscription webhooks-partners-send --key ep-1/,
  )
  expect((await day.command(['webhooks'])).output).toBe('✓ No endpoint fails or is disabled.\n')
})

it('are asked for by name', async () => {
  expect(await day.refused(3, 'webhooks', 'enable', 'partners', 'ep-2')).toMatchObject({ code: 'NOT_FOUND' })
  expect(await day.refused(3, 'webhooks', 'disable', 'strangers', 'ep-1')).toMatchObject({
    message: 'There are no webhooks "strangers" in this app. Known: partners.',
  })
  await day.refused(2, 'webhooks', 'list', '--state', 'open')
})
