// A worker that is killed between its post and the record of it: the message is posted again, with its id.
import { Eventspine } from 'eventspine'
import { expect, it } from 'vitest'
import { Program } from '../crash/system/program.js'
import { afterTest, databaseUrl, freshSchema, until } from '../support.js'
import { hooksApp, orderPlaced } from './hooks-app.js'
import { ok, receiver, secretOf } from './receiver.js'

it('posts again what nobody knows the end of, under the same id', { timeout: 120_000 }, async () => {
  const schema = freshSchema()
  const secret = secretOf(1)
  // It has the message, and its answer never comes.
  const customer = await receiver([secret], () => {})
  const environment = {
    DATABASE_URL: databaseUrl,
    HOOKS_SCHEMA: schema,
    HOOKS_URL: customer.url,
    HOOKS_SECRET: secret,
  }
  const worker = () => {
    const program = new Program(new URL('./worker.ts', import.meta.url), environment)
    afterTest(() => program.kill())
    return program
  }
  const observer = new Eventspine(hooksApp(customer.url, secret), { databaseUrl, schema, work: false })
  afterTest(() => observer.stop())
  const first = worker()
  await first.says('ready')
  await observer.start()
  const { id } = await observer.publish(orderPlaced, { order: 'a-1' })
  await until(() => customer.received.length === 1)
  await first.kill()
  customer.answer = ok
  await worker().says('ready')
  const send = async () =>
    (await observer.operator().subscriptions()).find(({ name }) => name === 'webhooks-partners-send')
  await until(async () => (await send())?.completed === 1, 60_000)
  const [posted, again, ...more] = customer.received
  expect(more).toEqual([])
  expect(again?.id).toBe(posted?.id)
  expect(again?.text).toBe(posted?.text)
  // The event became one message all the same.
  expect((await observer.operator().event(id))?.chain.children.map(({ event }) => event.id)).toEqual([
    posted?.id,
  ])
  expect(await send()).toMatchObject({ matched: 1, completed: 1, dead: 0, retrying: 0 })
})
