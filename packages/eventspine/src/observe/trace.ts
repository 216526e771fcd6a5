// OpenTelemetry spans, linked through `traceparent`: publish → handle → publish. Without an SDK in the process the
// spans cost nothing and the ids still chain.
import {
  type Context,
  context,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { type Random, randomHex } from '../kernel/index.js'
import { spanAttributes, spanNames } from './names.js'

/** Undefined when no SDK is registered: spans that nobody sees need not be made. */
function tracer(): Tracer | undefined {
  const provider = trace.getTracerProvider()
  return provider instanceof ProxyTracerProvider
    ? provider.getDelegateTracer('eventspine')
    : provider.getTracer('eventspine')
}

/** `traceparent` of the active span, when there is one. */
export function activeTraceparent(): string | undefined {
  const span = trace.getActiveSpan()
  return span === undefined ? undefined : format(span)
}

const format = (span: Span): string => {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}

export interface HandleSpan {
  /** What events published by the handler carry. */
  readonly traceparent: string
  /** Runs `work` with the span active, so that the handler's own spans stand below it. */
  within<Result>(work: () => Result): Result
  end(outcome: string, category?: string, message?: string): void
}

export interface HandledEvent {
  readonly id: string
  readonly type: string
  readonly tenant: string
  readonly traceparent: string
}

export function startHandleSpan(
  event: HandledEvent,
  subscription: string,
  deliveryId: string,
  attempt: number,
  random: Random,
): HandleSpan {
  const recorder = tracer()
  if (recorder === undefined) return new UnseenSpan(event.traceparent, random)
  const { traceparent } = event
  const parent = parentOf(traceparent)
  const span = recorder.startSpan(
    `${spanNames.handle} ${subscription}`,
    {
      kind: SpanKind.CONSUMER,
      attributes: {
        [spanAttributes.system]: 'eventspine',
        [spanAttributes.operation]: 'process',
        [spanAttributes.destination]: event.type,
        [spanAttributes.messageId]: event.id,
        [spanAttributes.subscription]: subscription,
        [spanAttributes.deliveryId]: deliveryId,
        [spanAttributes.attempt]: attempt,
        [spanAttributes.tenant]: event.tenant,
      },
    },
    parent,
  )
  const own = span.isRecording() ? format(span) : below(traceparent, random)
  const active = trace.setSpan(parent, span)
  return {
    traceparent: own,
    within: (work) => context.with(active, work),
    end(outcome, category, message) {
      span.setAttribute(spanAttributes.outcome, outcome)
      if (category !== undefined) {
        span.setAttribute(spanAttributes.category, category)
        span.setStatus({ code: SpanStatusCode.ERROR, message: message ?? category })
      }
      span.end()
    },
  }
}

/** The ids of a span that nobody records, so that the chain stays whole. */
const below = (traceparent: string, random: Random) =>
  `${traceparent.slice(0, 36)}${randomHex(8, random)}${traceparent.slice(52)}`

class UnseenSpan implements HandleSpan {
  readonly #parent: string
  readonly #random: Random
  #own: string | undefined

  constructor(parent: string, random: Random) {
    this.#parent = parent
    this.#random = random
  }

  get traceparent(): string {
    this.#own ??= below(this.#parent, this.#random)
    return this.#own
  }

  within<Result>(work: () => Result): Result {
    return work()
  }

  end(): void {}
}

/** A producer span around one publish; answers the `traceparent` that the event carries, when an SDK records. */
export function publishSpan(
  type: string,
  tenant: string,
  given: unknown,
): { readonly traceparent: string | undefined; end(error?: unknown): void } {
  // A broken header begins a new trace instead of joining one that the publisher did not name.
  const known = isTraceparent(given) ? given : undefined
  const recorder = tracer()
  if (recorder === undefined) return known === undefined ? unseen : { traceparent: known, end() {} }
  const parent = given === undefined ? context.active() : known === undefined ? ROOT_CONTEXT : parentOf(known)
  const span = recorder.startSpan(
    `${spanNames.publish} ${type}`,
    {
      kind: SpanKind.PRODUCER,
      attributes: {
        [spanAttributes.system]: 'eventspine',
        [spanAttributes.operation]: 'send',
        [spanAttributes.destination]: type,
        [spanAttributes.tenant]: tenant,
      },
    },
    parent,
  )
  return {
    traceparent: span.isRecording() ? format(span) : known,
    end(error) {
      if (error !== undefined)
        span.setStatus({
          code: SpanStatusCode.ERROR,
          message: error instanceof Error ? error.message : String(error),
        })
      span.end()
    },
  }
}

const unseen = { traceparent: undefined, end() {} } as const

/** W3C Trace Context, version 00. */
export const isTraceparent = (value: unknown): value is string =>
  typeof value === 'string' && /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(value)

function parentOf(traceparent: string): Context {
  const [, traceId = '', spanId = '', flags = '01'] = traceparent.split('-')
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
  })
}
