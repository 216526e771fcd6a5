// A ward whose chart is poisoned by some readings: each of them ends the process that handles it, in a way of its own.
// Its neighbours follow alarms that keep coming.
import { appendFileSync } from 'node:fs'
import { defineApp, defineEvent, defineSubscription, type EventspineOptions } from 'eventspine'
import { z } from 'zod'

export const harms = {
  ends: () => process.exit(1),
  blocks: () => {
    for (;;);
  },
  'runs out of memory': () => {
    for (const all: number[][] = []; ; ) all.push(new Array<number>(1_000_000).fill(0.5))
  },
} as const

export const reading = defineEvent({
  type: 'ward.reading',
  schema: z.object({
    n: z.number().int(),
    harm: z.enum(Object.keys(harms) as (keyof typeof harms)[]).optional(),
  }),
})
export const alarm = defineEvent({ type: 'ward.alarm', schema: z.object({ n: z.number().int() }) })

/** What a handler has done, told by a file: name, number of the event, process, moment in ms. */
const done = (name: string, n: number) =>
  appendFileSync(process.env.WARD_FILE ?? '', `${name} ${n} ${process.pid} ${Date.now()}\n`)

export const app = defineApp({
  name: 'ward',
  subscriptions: [
    defineSubscription({
      name: 'chart',
      on: reading,
      handle: ({ data }) => {
        if (data.harm !== undefined) harms[data.harm]()
        done('chart', data.n)
      },
    }),
    defineSubscription({ name: 'history', on: alarm, handle: ({ data }) => done('history', data.n) }),
    defineSubscription({
      name: 'page',
      on: alarm,
      priority: 'alarm',
      handle: ({ data }) => done('page', data.n),
    }),
  ],
})

export const options: Partial<EventspineOptions> = { stalledMs: 2_000 }
