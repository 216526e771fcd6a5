// Schedules in an app: one event for each tick, whoever runs, and nothing lost where its data fails.
import { defineApp, defineEvent, PermanentError } from 'eventspine'
import { scenario, waiting } from 'eventspine/testing'
import { schedule } from 'eventspine/workflow'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Stage } from '../workflow/stage.js'

const minute = 60_000
const day = 86_400_000
const due = defineEvent({ type: 'reports.due', schema: z.object({ day: z.string(), missed: z.boolean() }) })
const nightly = (parts: object = {}) =>
  schedule({
    name: 'nightly',
    cron: '0 3 * * *',
    event: due,
    data: ({ at, missed }) => ({ day: at.toISOString().slice(0, 13), missed }),
    ...parts,
  })
const appOf = (parts: object = {}) => defineApp({ name: 'books', schedules: [nightly(parts)] })

describe('a schedule', () => {
  test('publishes an event at each tick, and a month passes in no time', async () => {
    await scenario(appOf())
      .when(waiting(30 * day))
      .then((seen) => {
        expect(seen.published).toHaveLength(30)
        expect(seen.published[0]).toEqual({
          type: 'reports.due',
          data: { day: '2026-01-01T03', missed: false },
        })
        expect(seen.published[29]?.data).toEqual({ day: '2026-01-30T03', missed: false })
      })
  })

  test('whose data fails is a dead letter, and the next tick comes', async () => {
    let ticks = 0
    const data = ({ at }: { readonly at: Date }) => {
      if (++ticks === 1) throw new PermanentError('the report is not there')
      return { day: at.toISOString(), missed: false }
    }
    await scenario(appOf({ data }))
      .when(waiting(2 * day))
      .then((seen) => {
        expect(seen.deadLetters).toMatchObject([
          { subscription: 'schedule-nightly', message: 'the report is not there' },
        ])
        expect(seen.published).toHaveLength(1)
      })
  })

  test.each([1, 2, 3])('has one event for each tick with three processes, seed %i (I57)', async (seed) => {
    const stage = new Stage(seed)
    const app = appOf({ cron: '* * * * *' })
    const spines = [stage.spine(app), stage.spine(app), stage.spine(app)]
    await stage.until(Promise.all(spines.map((spine) => spine.start())))
    await stage.clock.advance(10 * minute)
    const [spine] = spines
    const { items } = await spine!.operator().events({ type: 'reports.due' })
    const days = items.map(({ time }) => time)
    expect(days).toHaveLength(10)
    expect(new Set(days).size).toBe(10)
    await stage.until(Promise.all(spines.map((each) => each.stop())))
  })

  test.each([
    ['skip', []],
    ['once', ['2026-01-02T03']],
    ['all', ['2026-01-01T03', '2026-01-02T03']],
  ] as const)('makes up by "%s" for what nobody took (I57)', async (missed, expected) => {
    const stage = new Stage(1)
    const app = appOf({ missed })
    const first = stage.spine(app)
    await stage.until(first.start())
    await stage.until(first.stop())
    stage.clock.shiftWall(2 * day)
    const second = stage.spine(app)
    await stage.until(second.start())
    await stage.clock.advance(minute)
    const { items } = await second.operator().events({ type: 'reports.due' })
    expect(items.map(({ data }) => data).reverse()).toEqual(
      expected.map((each) => ({ day: each, missed: true })),
    )
    await stage.until(second.stop())
  })

  test('that cannot be moved on is tried again in a while, and holds up no other', async () => {
    const stage = new Stage(1)
    let tries = 0
    const store: typeof stage.store = {
      ...stage.store,
      advanceSchedule: async (plan, ...rest) => {
        // Were it asked again at once, that would have no end.
        if (plan.name !== 'nightly' || ++tries > 1_000)
          return await stage.store.advanceSchedule(plan, ...rest)
        throw new Error('not this one')
      },
    }
    const cron = '* * * * *'
    const schedules = [nightly({ cron }), nightly({ name: 'other', cron })]
    const spine = stage.spine(defineApp({ name: 'books', schedules }), store)
    await stage.until(spine.start())
    await stage.clock.advance(2 * minute)
    const { items } = await spine.operator().events({ type: 'reports.due' })
    expect(items).toHaveLength(2)
    expect(tries).toBeGreaterThan(10)
    expect(tries).toBeLessThan(150)
    await stage.clock.advance(minute)
    const { findings } = await spine.operator().doctor()
    expect(findings.map(({ subject }) => subject)).toEqual(['schedule nightly'])
    await stage.until(spine.stop())
  })

  test('that is wrong is refused with what to write', () => {
    const faults = (parts: object) => {
      try {
        appOf(parts)
        return ''
      } catch (error) {
        return String(error)
      }
    }
    expect(faults({ cron: '61 * * * *' })).toContain('schedule "nightly": cron "61 * * * *" is no pattern')
    expect(faults({ timeZone: 'Mars/Base' })).toContain('write an IANA name such as "Europe/Berlin"')
    expect(faults({ missed: 'twice' })).toContain('write "skip", "once" or "all"')
    expect(faults({ name: 'Nightly Report' })).toContain('lower-case letters, digits and dashes')
    expect(faults({ data: undefined })).toContain('write data: (tick) =>')
  })
})
