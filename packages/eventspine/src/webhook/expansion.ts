// From one event to a message for each of its endpoints: each then has retries, a breaker and dead letters of its own, and
// none waits for another. The messages are in the log if, and only if, this delivery is recorded as done.
import type { AnyEventDefinition, Event } from '../event/index.js'
import { type HandlerContext, ProcessingError, ValidationError } from '../handle/index.js'
import type { EndpointContext } from './definition.js'
import { fault } from './fault.js'
import type { Addressed } from './message.js'

const endpointsMax = 1_000
const idCharactersMax = 200

export function expansion(
  message: AnyEventDefinition,
  endpoints: (event: Event, context: EndpointContext) => readonly string[] | Promise<readonly string[]>,
  payload: (event: Event) => object = standardPayload,
) {
  return async (event: Event, { tenant, signal, publish }: HandlerContext): Promise<void> => {
    const ids = checked(await endpoints(event, { tenant, signal }))
    if (ids.length === 0) return
    const body = payload(event)
    for (const endpoint of ids) await publish(message, { endpoint, body } satisfies Addressed as never)
  }
}

/** As the specification of Standard Webhooks has it. */
const standardPayload = ({ type, time, data }: Event) => ({ type, timestamp: time, data })

function checked(answer: unknown): readonly string[] {
  if (!Array.isArray(answer))
    throw fault(
      new ProcessingError('"endpoints" must answer a list of ids; write endpoints: (event) => [ … ]'),
    )
  const ids = [...new Set(answer)]
  if (ids.length > endpointsMax)
    throw fault(
      new ProcessingError(
        `An event goes to at most ${endpointsMax} endpoints, and "endpoints" names ${ids.length}: share them out among several webhooksOut`,
      ),
    )
  const unfit = ids.find((id) => !isId(id))
  if (unfit !== undefined)
    throw fault(
      new ValidationError(
        `"endpoints" names ${JSON.stringify(unfit)}: an id is a text of 1 to ${idCharactersMax} characters`,
      ),
    )
  return ids as readonly string[]
}

const isId = (id: unknown) =>
  typeof id === 'string' &&
  id.length > 0 &&
  id.length <= idCharactersMax &&
  id.isWellFormed() &&
  !/\p{Cc}/u.test(id)
