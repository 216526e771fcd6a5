// What an instance asks of a person, and what became of the answer: on its own page, on that of its parent, and of a run by hand. In
// a real browser before a real server.
import { describe, expect, test } from 'vitest'
import { adminBefore } from './before.js'
import { hasChromium } from './browser.js'
import { holdUnpacking, mendVan, until, World } from './world.js'

const hour = 3_600_000

describe.skipIf(!hasChromium)('a workflow (needs chromium)', () => {
  const world = new World()
  const { visit } = adminBefore(world)
  const at = (workflow: string, id: string) =>
    visit.at(world.url, `workflows?workflow=${workflow}&id=${encodeURIComponent(id)}`)
  const region = (name: string) => visit.page.getByRole('region', { name })
  const button = (name: string) => visit.page.getByRole('button', { name, exact: true })

  test('says what it asks, of whom and until when, on its card and in the question', async () => {
    await world.refund('r-due', { amount: 40, waitsMs: hour })
    await at('refund', 'r-due')
    await region('Standing').getByText('awaiting approval', { exact: true }).waitFor()
    const says = /Asked of finance, .* waits until in \d+ min/
    await region('Question pay').getByText(says).waitFor()
    await button('Approve…').click()
    const question = visit.page.getByRole('dialog', { name: 'Approve pay' })
    await question.getByText('Pay 40 € back?').waitFor()
    await question.getByText(says).waitFor()
  })

  test('shows a decision as given before it has taken it up, and asks nobody twice', async () => {
    await world.refund('r-sent', { amount: 40 })
    await world.spine.operator().pause('workflow-refund', 'setup')
    await at('refund', 'r-sent')
    await button('Approve…').click()
    await button('Approve').click()
    await visit.page.getByRole('dialog').waitFor({ state: 'detached' })
    await region('Question pay').getByText('Approved by you.').waitFor()
    expect(await button('Approve…').count()).toBe(0)
    await world.spine.operator().resume('workflow-refund', 'setup')
    await region('Question pay').waitFor({ state: 'detached' })
    await region('Standing').getByText('completed').waitFor()
  })

  test('whose child asks a person says so, and leads there', async () => {
    await world.errand('e-parent', { refunds: 60 })
    await at('errand', 'e-parent')
    await region('Standing').getByText('awaiting approval', { exact: true }).waitFor()
    await region('Standing')
      .getByRole('link', { name: /^refund / })
      .click()
    await region('Question pay').getByText('Pay 60 € back?').waitFor()
    await region('Standing').getByRole('link', { name: 'errand e-parent' }).waitFor()
  })

  test('that undoes already what it did cannot be cancelled, only terminated', async () => {
    const unpack = holdUnpacking()
    await world.errand('e-undoes', { unpacks: true })
    await at('errand', 'e-undoes')
    await button('Cancel…').waitFor()
    await world.post('/v1/workflows/errand/e-undoes/cancel', { reason: 'rain' })
    await region('Standing').getByText('compensating').waitFor()
    await button('Terminate…').waitFor()
    expect(await button('Cancel…').count()).toBe(0)
    unpack()
    await region('Standing').getByText('compensated').waitFor()
  })

  test('retries what a fault of the code halts, once it is mended', async () => {
    const { page } = visit
    const retried = async (reason: string) => {
      await button('Retry…').click()
      await page.getByLabel('Reason, for the audit').fill(reason)
      await button('Retry 1 instance').click()
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    mendVan(false)
    await world.errand('e-van', { needsVan: true })
    await at('errand', 'e-van')
    await page.getByText('the van is broken').first().waitFor()
    // Too early: the page tells of it, and the audit finds it by the instance.
    await retried('a try')
    await region('Standing')
      .getByText(/Retried by ada .*, and it failed again/)
      .waitFor()
    await page.getByRole('link', { name: 'In the audit' }).click()
    await page.getByRole('row').filter({ hasText: 'errand e-van' }).filter({ hasText: 'retried' }).waitFor()
    expect((await world.get('/v1/audit?limit=1')).items[0]).toMatchObject({
      ...{ action: 'workflow.retry', target: 'errand e-van' },
      details: { before: 'needs attention', after: 'running', reason: 'a try' },
    })
    await at('errand', 'e-van')
    mendVan(true)
    await retried('mended')
    await page.getByText('needs attention').waitFor({ state: 'detached' })
    await until(async () => (await world.get('/v1/workflows/errand/e-van')).attention === null)
  })

  test('a schedule that is run by hand says so, and leads to its event', async () => {
    await visit.at(world.url, 'schedules')
    await button('Run…').click()
    await button('Run once now').click()
    await visit.page.getByText('The run of night is accepted').waitFor()
    await visit.page.getByRole('link', { name: 'its event' }).click()
    await visit.page.getByText('shop.night-began').first().waitFor()
  })
})
