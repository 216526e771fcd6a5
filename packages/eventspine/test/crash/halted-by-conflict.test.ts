// A dead letter that is one only because of what its handler published holds its key like any other (I23).
import { defineApp, defineEvent, defineSubscription } from 'eventspine'
import { publishing, scenario } from 'eventspine/testing'
import { expect, it } from 'vitest'
import { z } from 'zod'

const moved = defineEvent({
  type: 'tests.moved',
  schema: z.object({ key: z.string(), n: z.number() }),
  key: ({ key }) => key,
})
const announced = defineEvent({ type: 'tests.announced', schema: z.object({ n: z.number() }) })

it('lets nothing of the key run after an id that belongs to another body', async () => {
  const runs: string[] = []
  const app = defineApp({
    name: 'tests',
    subscriptions: [
      defineSubscription({
        name: 'ledger',
        on: moved,
        ordered: true,
        handle: async ({ data: { key, n } }, context) => {
          runs.push(`${key}${n}`)
          if (n < 2) await context.publish(announced, { n }, { id: `${key}-${n > 0 && key === 'a' ? 0 : n}` })
        },
      }),
    ],
    events: [announced],
  })
  const move = (key: string, n: number) => publishing(moved, { key, n })
  const { deadLetters } = await scenario(app)
    .given(move('a', 0), move('b', 0))
    .given(move('a', 1), move('b', 1))
    .when(move('a', 2), move('b', 2))
  expect(deadLetters).toEqual([])
  expect(runs).toEqual(['a0', 'b0', 'a1', 'b1', 'b2'])
})
