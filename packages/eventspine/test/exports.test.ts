// What each entry gives at run time. A name that is added here is a promise to keep; one that is missing breaks users.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const rootValuesMax = 15

const promised: Readonly<Record<string, readonly string[]>> = {
  eventspine: [
    'Eventspine',
    'EventspineError',
    'PermanentError',
    'ProcessingError',
    'TimeoutError',
    'TransientError',
    'ValidationError',
    'defineApp',
    'defineEvent',
    'defineSubscription',
    'errorCodes',
    'jsonLogger',
    'retries',
  ],
  'eventspine/ingress': [
    'FilterError',
    'JsonError',
    'compileEventFilter',
    'compileFilter',
    'explainFilter',
    'filterSet',
    'jsonSchemaOf',
    'jsonLimitsDefault',
    'parseJson',
    'writeJson',
  ],
  'eventspine/source': [
    'abortedAfter',
    'checkOptions',
    'customSource',
    'fileSource',
    'folderSource',
    'githubSignature',
    'httpRoute',
    'signStandardWebhook',
    'standardWebhooks',
    'stripeSignature',
    'tableSource',
    'webhook',
  ],
  'eventspine/testing': [
    'Scenario',
    'approving',
    'cancelling',
    'publishing',
    'scenario',
    'sideEffects',
    'signalling',
    'starting',
    'waiting',
  ],
  'eventspine/text': ['visible'],
  'eventspine/webhooks': ['webhookEndpointDisabled', 'webhooksOut'],
  'eventspine/workflow': [
    'ChildError',
    'NonDeterminismError',
    'StepError',
    'approvalLinks',
    'orphanFound',
    'reconciler',
    'schedule',
    'workflow',
    'workflowOverdue',
  ],
}

const folder = join(import.meta.dirname, '..')
const { exports: entries } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, { readonly source: string }>>
}

describe('the public entries', () => {
  it('are those of the list', () => {
    expect(
      Object.keys(entries)
        .map((entry) => `eventspine${entry.slice(1)}`)
        .sort(),
    ).toEqual(Object.keys(promised).sort())
    expect(Object.values(entries).filter(({ source }) => !existsSync(join(folder, source)))).toEqual([])
  })

  it.each(Object.keys(promised))('%s gives the names of the list', async (entry) => {
    const given: Record<string, unknown> = await import(entry)
    expect(Object.keys(given).sort()).toEqual([...(promised[entry] ?? [])].sort())
  })

  it(`the root gives at most ${rootValuesMax} values`, async () => {
    expect(Object.keys(await import('eventspine')).length).toBeLessThanOrEqual(rootValuesMax)
  })
})
