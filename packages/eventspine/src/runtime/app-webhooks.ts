// The webhooks of an app, checked as a whole. What their subscriptions share with others is checked there.
import { type AnyEventDefinition, typeMatcher } from '../event/index.js'
import type { WebhooksOut } from '../webhook/index.js'

const dayMs = 86_400_000

const wholeNumbers: readonly (readonly [string, (own: WebhooksOut) => unknown, number])[] = [
  ['concurrency.max', ({ concurrency }) => concurrency.max, 10_000],
  ['concurrency.perEndpoint', ({ concurrency }) => concurrency.perEndpoint, 1_000],
  ['breaker.failures', ({ breaker }) => breaker.failures, 1_000_000],
  ['breaker.windowMs', ({ breaker }) => breaker.windowMs, dayMs],
  ['breaker.cooldownMs', ({ breaker }) => breaker.cooldownMs, dayMs],
  ['disableAfterMs', ({ disableAfterMs }) => disableAfterMs, 365 * dayMs],
  ['answerMsMax', ({ answerMsMax }) => answerMsMax, 30_000],
]

/** `events`: of the app. */
export function checkWebhooks(
  all: readonly WebhooksOut[],
  events: readonly AnyEventDefinition[],
  faults: string[],
): void {
  for (const own of all) {
    const fault = (message: string) => faults.push(`webhooks "${own.name}": ${message}`)
    checkWebhook(own, fault)
    if (own.payload === undefined) checkBodies(own, events, fault)
  }
}

// A message is an event of its own, with the body in it: plain, and out of the reach of an erasure.
function checkBodies(
  { expansion }: WebhooksOut,
  events: readonly AnyEventDefinition[],
  fault: (message: string) => void,
): void {
  for (const interest of [expansion.on].flat() as readonly (string | AnyEventDefinition)[]) {
    const isOne =
      typeof interest === 'string' ? typeMatcher(interest) : (type: string) => type === interest?.type
    const known = typeof interest === 'string' ? events : [...events, interest]
    const personal = known.find((event) => event?.personal !== undefined && isOne(event.type))
    if (personal !== undefined)
      fault(
        `it sends "${personal.type}", which has personal data; add payload: (event) => ({ … }) that leaves them out`,
      )
  }
}

function checkWebhook(own: WebhooksOut, fault: (message: string) => void): void {
  const { name, endpoint, endpoints, payload, retry, network } = own
  if (!/^[a-z0-9][a-z0-9-]{0,79}$/.test(String(name)))
    fault('a name is lower-case letters, digits and dashes, at most 80, such as "partners"')
  if (typeof endpoints !== 'function')
    fault('endpoints must say which ids an event goes to; write endpoints: (event) => [ … ]')
  if (typeof endpoint !== 'function')
    fault('endpoint must say where an id is; write endpoint: (id) => ({ url, secrets: [ … ] })')
  if (payload !== undefined && typeof payload !== 'function')
    fault('payload must be a function; write payload: (event) => ({ … })')
  if (typeof retry?.delayMs !== 'function')
    fault('retry must be a policy; write retry: retries.webhook({ attemptsMax: 5 })')
  for (const [option, read, max] of wholeNumbers) {
    const value = read(own)
    if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > max)
      fault(`${option} is ${String(value)}; write a whole number from 1 to ${max.toLocaleString('en')}`)
  }
  const { ports = 'any' } = network
  const isPort = (port: unknown) =>
    Number.isInteger(port) && (port as number) >= 1 && (port as number) <= 65_535
  if (ports !== 'any' && !(Array.isArray(ports) && ports.length > 0 && ports.every(isPort)))
    fault('network.ports must be a list of ports, such as [443, 9443], or "any"')
}
