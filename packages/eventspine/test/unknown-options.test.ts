// An option that nobody knows is refused where it stands: it would be a default otherwise, and a field stored in the clear.
import { defineEvent, EventspineError } from 'eventspine'
import { customSource, fileSource, folderSource, httpRoute, tableSource, webhook } from 'eventspine/source'
import { webhooksOut } from 'eventspine/webhooks'
import { reconciler, schedule, workflow } from 'eventspine/workflow'
import { expect, it } from 'vitest'
import { z } from 'zod'

const makers: readonly (readonly [string, string, (options: never) => unknown, object])[] = [
  ['defineEvent', 'personal', defineEvent, { type: 'shop.placed', schema: z.object({}) }],
  ['workflow', 'deadlineMs', workflow, { name: 'check-out', run: async () => undefined }],
  ['schedule', 'timeZone', schedule, { name: 'nightly', cron: '0 2 * * *' }],
  ['reconciler', 'graceMs', reconciler, { name: 'paid', find: () => [] }],
  ['webhook', 'inFlightMax', webhook, { name: 'stripe' }],
  ['customSource', 'inFlightMax', customSource, { name: 'radio' }],
  ['folderSource', 'settleMs', folderSource, { name: 'uploads', directory: '/tmp' }],
  ['fileSource', 'delimiter', fileSource, { name: 'lines', format: 'csv' }],
  ['tableSource', 'redact', tableSource, { name: 'users', table: 'users', type: 'users.changed', key: 'id' }],
  ['httpRoute', 'access', httpRoute, { name: 'orders', path: '/orders' }],
  ['webhooksOut', 'disableAfterMs', webhooksOut, { name: 'customers', on: '*' }],
]

it.each(makers)('%s refuses what is nearly %s, and says what was meant', (maker, option, make, options) => {
  const misspelt = `${option}s`
  const made = () => make({ ...options, [misspelt]: 1 } as never)
  expect(made).toThrow(EventspineError)
  expect(made).toThrow(`${maker} "`)
  expect(made).toThrow(`"${misspelt}" is no option; did you mean "${option}"?`)
})

it('takes a definition as the ground of another', () => {
  const first = defineEvent({ type: 'shop.placed', schema: z.object({}) })
  expect(defineEvent({ ...first, version: 2 } as never)).toMatchObject({ type: 'shop.placed', version: 2 })
})

it('says which options there are where none is near', () => {
  expect(() => schedule({ name: 'nightly', colour: 'red' } as never)).toThrow(
    '"colour" is no option; there are name, cron, timeZone, event, data, tenant, missed, description',
  )
})

it('says what to write where there are no options at all', () => {
  expect(() => workflow(undefined as never)).toThrow('workflow takes options; write workflow({ … })')
})
