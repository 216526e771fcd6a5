// What is sealed opens in its own event alone, whoever moves it: into the letter of another person, or in the database itself.
import { randomBytes } from 'node:crypto'
import { defineApp, defineEvent, defineSubscription, ValidationError } from 'eventspine'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { freshSchema, quiet, running, sql, until } from './support.js'

const personalKeys = [randomBytes(32).toString('base64')]
const noted = defineEvent({
  type: 'shop.customer-noted',
  schema: z.object({ customer: z.string(), remark: z.string() }),
  personal: { person: ({ customer }) => customer, fields: { remark: '' } },
})

function shop() {
  const seen: unknown[] = []
  const held = { broken: false }
  const mails = defineSubscription({
    name: 'mails',
    on: noted,
    handle: ({ data }) => {
      if (held.broken) throw new ValidationError('the mail server is gone')
      seen.push(data)
    },
  })
  return { seen, held, app: defineApp({ name: 'shop', subscriptions: [mails] }) }
}

it('a text of one person in the edited letter of another is no key to it', async () => {
  const { seen, held, app } = shop()
  held.broken = true
  const spine = await running(app, freshSchema(), { personalKeys })
  await spine.publish(noted, { customer: 'ada', remark: 'secret of Ada' })
  await spine.publish(noted, { customer: 'eve', remark: 'secret of Eve' })
  const operator = spine.operator()
  const letters = await until(async () => {
    const { items } = await operator.deadLetters()
    return items.length === 2 ? items : undefined
  })
  const dataOf = (customer: string) => {
    const letter = letters.find(({ event }) => (event.data as { customer: string }).customer === customer)
    return { id: letter?.id ?? '', data: letter?.event.data as { customer: string; remark: string } }
  }
  const [ada, eve] = [dataOf('ada'), dataOf('eve')]
  held.broken = false
  const edit = (id: string, data: object) =>
    operator.redrive({ filter: { ids: [id] }, data, actor: 'mallory' } as never)
  await edit(eve.id, { ...eve.data, remark: ada.data.remark })
  await until(() => seen.length === 1)
  expect(seen).toEqual([{ customer: 'eve', remark: ada.data.remark }])
  // Its own stays what it is.
  await edit(ada.id, ada.data)
  await until(() => seen.length === 2)
  expect(seen[1]).toEqual({ customer: 'ada', remark: 'secret of Ada' })
})

it('a text that was moved to another event in the database opens for nobody', async () => {
  const { seen, app } = shop()
  const schema = freshSchema()
  const spine = await running(app, schema, { personalKeys })
  await spine.publish(noted, { customer: 'ada', remark: 'first' }, { id: 'one', source: '/tests' })
  await spine.publish(noted, { customer: 'ada', remark: 'second' }, { id: 'two', source: '/tests' })
  await quiet(spine)
  await sql(
    `UPDATE ${schema}.event SET data = (SELECT data FROM ${schema}.event WHERE id = 'one') WHERE id = 'two'`,
  )
  const replay = await spine.operator().replay({ subscription: 'mails', actor: 'ida', external: true })
  await until(async () => (await spine.operator().replayStatus(replay.id))?.state === 'completed')
  expect(seen.slice(2)).toEqual([
    { customer: 'ada', remark: 'first' },
    { customer: 'ada', remark: expect.stringMatching(/^eventspine:sealed:/) },
  ])
})
