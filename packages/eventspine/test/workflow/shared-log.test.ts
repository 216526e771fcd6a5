// Two apps on one log: what an instance needs of a person is done from either, whoever has its code.
import { defineApp } from 'eventspine'
import { workflow } from 'eventspine/workflow'
import { expect, test } from 'vitest'
import { Stage } from './stage.js'

const escalation = workflow({
  name: 'escalation',
  run: async (ctx) => {
    const decision = await ctx.approval('call', { to: 'doctor', text: 'Call the doctor?' })
    const note = await ctx.signal('note')
    return { approved: decision?.approved, note }
  },
})
const faulty = workflow({
  name: 'faulty',
  run: () => {
    throw new TypeError('a fault of the code')
  },
})
const own = workflow({ name: 'own', run: (ctx) => ctx.signal('never') })

async function opened() {
  const stage = new Stage(3)
  const ward = stage.spine(defineApp({ name: 'ward', workflows: [escalation, faulty] }))
  const shop = stage.spine(defineApp({ name: 'shop', workflows: [own] }))
  for (const spine of [ward, shop]) await stage.until(spine.start())
  const started = async (definition: typeof escalation | typeof faulty, id: string) => {
    await stage.until(ward.workflows.start(definition as never, undefined as never, { id }))
    await stage.clock.advance(1_000)
  }
  return { stage, ward, shop, started }
}

const codeOf = async (work: Promise<unknown>) =>
  await work.then(
    () => 'none',
    ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
  )

test('what another app runs is shown, decided and signalled, and its end is waited for', async () => {
  const { stage, shop, started } = await opened()
  await started(escalation, 'e-1')
  const { workflows } = shop
  const shown = await stage.until(workflows.show('escalation', 'e-1'))
  expect(shown?.questions).toMatchObject([{ approval: 'call', text: 'Call the doctor?' }])
  await stage.until(workflows.approve('escalation', 'e-1', 'call', { approved: true, by: 'ada' }))
  await stage.until(workflows.signal('escalation', 'e-1', 'note', 'at night', { by: 'ada' }))
  expect(await stage.until(workflows.handle('escalation', 'e-1').result())).toEqual({
    ...{ approved: true, note: 'at night' },
  })
  const again = await stage.until(workflows.restart('escalation', 'e-1', 'ada'))
  await stage.clock.advance(1_000)
  expect(await stage.until(workflows.show('escalation', again.id))).toMatchObject({ state: 'running' })
})

test('what another app runs is cancelled, ended and sent again', async () => {
  const { stage, shop, started } = await opened()
  const { workflows } = shop
  for (const id of ['e-1', 'e-2']) await started(escalation, id)
  await started(faulty, 'f-1')
  await stage.until(workflows.cancel('escalation', 'e-1', 'ada'))
  await stage.until(workflows.terminate('escalation', 'e-2', 'ada'))
  await stage.clock.advance(1_000)
  const stateOf = async (id: string) => (await stage.until(workflows.show('escalation', id)))?.state
  expect([await stateOf('e-1'), await stateOf('e-2')]).toEqual(['cancelled', 'terminated'])
  const before = await stage.until(workflows.show('faulty', 'f-1'))
  expect(before?.attention).not.toBeNull()
  const redrive = await stage.until(workflows.retry('faulty', 'f-1', 'ada'))
  await stage.clock.advance(5_000)
  expect(await stage.until(shop.operator().redriveStatus(redrive.id))).toMatchObject({ sent: 1 })
})

test('the letter that halts what another app runs is not discarded, by itself or among others', async () => {
  const { stage, shop, started } = await opened()
  await started(faulty, 'f-1')
  const operator = shop.operator()
  for (const filter of [{}, { subscription: 'workflow-faulty' }, { error: 'a fault of the code' }])
    expect(await codeOf(stage.until(operator.discard(filter, 'ada', 'away with it')))).toMatch(
      /^REQUEST_INVALID: .*workflows cancel faulty 'f-1'/,
    )
  expect(await stage.until(operator.discard({ subscription: 'workflow-own' }, 'ada', 'none'))).toBe(0)
  expect((await stage.until(operator.deadLetters())).items).toMatchObject([{ state: 'dead' }])
})

test('a wish that no worker has taken up is known, too', async () => {
  const { stage, ward: worker, shop } = await opened()
  await stage.until(worker.stop())
  const ward = stage.spine(defineApp({ name: 'ward', workflows: [escalation] }), stage.store, { work: false })
  await stage.until(ward.start())
  await stage.until(ward.workflows.start(escalation, undefined, { id: 'e-1' }))
  expect(await stage.until(shop.workflows.show('escalation', 'e-1'))).toBeNull()
  expect(await stage.until(shop.workflows.isAccepted('escalation', 'e-1'))).toBe(true)
})

test('a start needs the code, and says which app has it; a name that nobody has is told', async () => {
  const { stage, shop } = await opened()
  const { workflows } = shop
  expect(await codeOf(stage.until(workflows.start('escalation', undefined as never)))).toMatch(
    /^WORKFLOW_UNKNOWN: .*the app "ward"/,
  )
  expect(await stage.until(workflows.show('escalation', 'none'))).toBeNull()
  const unknown = [
    workflows.start('escalatoin', undefined as never),
    workflows.show('escalatoin', 'e-1'),
    workflows.cancel('escalatoin', 'e-1', 'ada'),
    workflows.handle('escalatoin', 'e-1').result(),
  ]
  for (const work of unknown)
    expect(await codeOf(stage.until(work))).toMatch(/^WORKFLOW_UNKNOWN: There is no workflow "escalatoin"/)
})
