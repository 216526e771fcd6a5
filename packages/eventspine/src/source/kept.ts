// Messages that could not become events: kept in the log, and tried again by a subscription of their source. What fails
// there is a dead letter like any other: seen, mended and sent again.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ownDefaults, type ResolvedSubscription } from '../deliver/index.js'
import { compileFilter } from '../event/filter/index.js'
import { defineEvent } from '../event/index.js'
import { retries } from '../handle/index.js'
import type { KeptMessage } from './message.js'
import type { TranslatingSource } from './source.js'

const deadlineMs = 30_000
const leaseMs = 60_000

/** What a person may send again: the body is theirs to mend. */
const schema: StandardSchemaV1<KeptMessage> = {
  '~standard': {
    ...{ version: 1, vendor: 'eventspine' },
    validate(value) {
      const kept = (value ?? {}) as Partial<KeptMessage>
      const isWhole =
        [kept.source, kept.body, kept.receivedAt].every((each) => typeof each === 'string') &&
        (kept.encoding === 'utf8' || kept.encoding === 'base64') &&
        (kept.id === null || typeof kept.id === 'string') &&
        typeof kept.headers === 'object' &&
        kept.headers !== null
      if (isWhole) return { value: value as KeptMessage }
      const message =
        'must keep "source", "id", "headers", "receivedAt" and "encoding" as they are; mend "body" alone'
      return { issues: [{ message }] }
    },
  },
}

/** Of any source; `source` in its data says of which. */
export const messageKept = defineEvent({
  ...{ type: 'eventspine.message-kept', schema },
  description: 'A message that could not become an event of the app',
})

export const nameOf = (source: string) => `source-${source}`

/** Tries the kept messages of one source again. */
export function subscriptionOf({ name }: TranslatingSource): ResolvedSubscription {
  return {
    ...ownDefaults,
    ...{ name: nameOf(name), on: [messageKept], matches: (type) => type === messageKept.type, source: name },
    filter: compileFilter({ data: { source: [name] } }),
    ...{
      ordered: 'no',
      retry: retries.standard(),
      concurrencyMax: 10,
      start: 'beginning',
      deadlineMs,
      leaseMs,
    },
  }
}
