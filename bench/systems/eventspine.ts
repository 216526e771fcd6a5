// Eventspine as a user writes it: one event with a schema and a key, subscriptions, publish. Run history is always on.

import { setTimeout as delay } from 'node:timers/promises'
import { defineApp, defineEvent, defineSubscription, Eventspine } from 'eventspine'
import { z } from 'zod'
import type { Ledger } from '../core/ledger.js'
import {
  handlerName,
  insertAllWritten,
  insertWritten,
  type Part,
  type Place,
  type Session,
  type System,
} from './system.js'

export const measured = defineEvent({
  type: 'bench.measured',
  schema: z.object({ n: z.number(), sentAt: z.number(), customer: z.string(), note: z.string() }),
  key: (data) => data.customer,
})

/** Over all workers. The default of 10 suits handlers that call a database; these do not. */
const concurrency = 400
/** What a process runs at once by default, without the part that is kept for alarms. */
const alarmsReserved = 100

export const eventspine: System = {
  async prepare({ databaseUrl }, part) {
    const spine = new Eventspine(appOf(part, undefined), { databaseUrl, work: false })
    await spine.start()
    await spine.stop()
  },

  async open(place, part, ledger) {
    const spine = spineOf(place, part, ledger)
    await spine.start()
    return sessionOf(spine)
  },
}

function sessionOf(spine: Eventspine): Session {
  return {
    async publish(payloads) {
      await Promise.all(payloads.map((payload) => spine.publish(measured, payload)))
    },
    stop: () => spine.stop(),
  }
}

/** For questions that also ask the operator. Not started. */
export function spineOf({ databaseUrl }: Place, part: Part, ledger: Ledger | undefined): Eventspine {
  const limits =
    part.handlersMax === null
      ? {}
      : { limits: { handlersMax: part.handlersMax + alarmsReserved, alarmsReserved } }
  return new Eventspine(appOf(part, ledger), { databaseUrl, work: part.works, ...limits })
}

function appOf(part: Part, ledger: Ledger | undefined) {
  const subscriptions = Array.from({ length: part.subscriptions }, (_, index) =>
    subscriptionOf(part, ledger, index),
  )
  return defineApp({ name: 'bench', events: [measured], subscriptions })
}

function subscriptionOf(part: Part, ledger: Ledger | undefined, index: number) {
  // A backlog is what was published before the subscription was first seen, too.
  const policies = {
    name: handlerName(index),
    on: measured,
    concurrency,
    shards: part.shards,
    start: 'beginning',
  } as const
  if (part.transactional === 'many') {
    return defineSubscription({
      ...policies,
      async transactMany(deliveries, { tx }) {
        await tx.query(insertAllWritten, [deliveries.map(({ event }) => event.data.n)])
        for (const { event } of deliveries) ledger?.handle(event.data, index)
      },
    })
  }
  if (part.transactional === 'each') {
    return defineSubscription({
      ...policies,
      async transact({ data }, { tx }) {
        await tx.query(insertWritten, [data.n])
        ledger?.handle(data, index)
      },
    })
  }
  if (part.handlerMs > 0) {
    return defineSubscription({
      ...policies,
      async handle({ data }) {
        await delay(part.handlerMs)
        ledger?.handle(data, index)
      },
    })
  }
  return defineSubscription({ ...policies, handle: ({ data }) => ledger?.handle(data, index) })
}
