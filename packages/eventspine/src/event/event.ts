// What a handler sees of an event: CloudEvents attributes under their TypeScript names, data decoded by the
// schema of its definition.

export interface Event<Type extends string = string, Data = unknown> {
  readonly id: string
  readonly type: Type
  readonly version: number
  readonly source: string
  readonly subject: string | undefined
  readonly tenant: string
  /** Ordering scope: CloudEvents `partitionkey`. */
  readonly key: string | undefined
  /** When it happened, RFC 3339 in UTC. */
  readonly time: string
  /** Frozen: an event is a fact, shared by all its handlers. */
  readonly data: Data
  /** W3C trace context of the publisher. */
  readonly traceparent: string
  /** The id of the first event of this chain. */
  readonly correlationId: string
  /** The id of the event whose handler published this one. */
  readonly causationId: string | undefined
  readonly extensions: Readonly<Record<string, string | number | boolean>>
}
