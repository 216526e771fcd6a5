// Every name that leaves the process as a trace, a metric or a log field.

export const metricNames = {
  published: 'eventspine_events_published_total',
  refused: 'eventspine_events_refused_total',
  received: 'eventspine_source_messages_total',
  sourceInHand: 'eventspine_source_messages_in_hand',
  sourceRuns: 'eventspine_source_running',
  sourceEnded: 'eventspine_source_ended_total',
  deliveries: 'eventspine_deliveries_total',
  handlerSeconds: 'eventspine_handler_seconds',
  inFlight: 'eventspine_handlers_in_flight',
  matched: 'eventspine_subscription_matched_total',
  completed: 'eventspine_subscription_completed_total',
  skipped: 'eventspine_subscription_skipped_total',
  discarded: 'eventspine_subscription_discarded_total',
  lagEvents: 'eventspine_subscription_lag_events',
  lagSeconds: 'eventspine_subscription_lag_seconds',
  retrying: 'eventspine_subscription_retrying',
  dead: 'eventspine_subscription_dead_letters',
  breaker: 'eventspine_breaker_open',
  oldestTransaction: 'eventspine_database_oldest_transaction_seconds',
  sourceLagBytes: 'eventspine_source_lag_bytes',
  sourceLagSeconds: 'eventspine_source_lag_seconds',
  leaseLost: 'eventspine_leases_lost_total',
  settleSeconds: 'eventspine_settle_seconds',
} as const

const help: Readonly<Record<string, string>> = {
  [metricNames.published]: 'Events appended by this process, by type.',
  [metricNames.refused]: 'Events refused before anything was stored, by error code.',
  [metricNames.received]: 'Messages that came in by a source, by outcome.',
  [metricNames.sourceInHand]: 'Messages of a source that are translated and stored now.',
  [metricNames.sourceRuns]: '1 while this process runs the source, else 0.',
  [metricNames.sourceEnded]: 'How often a source ended by itself in this process, and was started again.',
  [metricNames.deliveries]: 'Attempts that ended in this process, by subscription and outcome.',
  [metricNames.handlerSeconds]: 'Time from the start of a handler to its outcome.',
  [metricNames.inFlight]: 'Handlers running now.',
  [metricNames.matched]: 'Events that a subscription wanted.',
  [metricNames.completed]: 'Events that a subscription wanted and has done.',
  [metricNames.skipped]: 'Events that a subscription wanted and passed over without running its handler.',
  [metricNames.discarded]: 'Dead letters that were given up for good, by subscription.',
  [metricNames.lagEvents]:
    'Events that a subscription still has to take, those of its types behind its cursor; about, where they are many.',
  [metricNames.lagSeconds]: 'Age of the oldest event that a subscription has not settled.',
  [metricNames.retrying]: 'Deliveries that wait for a retry, run as rows or wait for their key.',
  [metricNames.dead]: 'Dead letters, by subscription.',
  [metricNames.breaker]:
    '1 when the breaker is open, 0.5 when it probes, 0 when it is closed; of one that keys have, the worst.',
  [metricNames.oldestTransaction]: 'Age of the oldest open transaction of the database.',
  [metricNames.sourceLagBytes]: 'What the server has logged and a table source has not read.',
  [metricNames.sourceLagSeconds]: 'Time since a table source had read all.',
  [metricNames.leaseLost]: 'Leases that this process lost.',
  [metricNames.settleSeconds]: 'Time of one settle statement.',
}

export const helpOf = (name: string): string => help[name] ?? name

export const spanNames = { publish: 'publish', handle: 'handle' } as const

export const spanAttributes = {
  system: 'messaging.system',
  operation: 'messaging.operation.type',
  destination: 'messaging.destination.name',
  messageId: 'messaging.message.id',
  subscription: 'eventspine.subscription',
  deliveryId: 'eventspine.delivery.id',
  attempt: 'eventspine.attempt',
  tenant: 'eventspine.tenant',
  outcome: 'eventspine.outcome',
  category: 'eventspine.error.category',
} as const
