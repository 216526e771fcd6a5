// What the read side answers, as schemas: the OpenAPI document shows them, and tests hold every answer against them.
import { z } from 'zod'

const milliseconds = z.number().describe('Milliseconds since 1970')
const count = z.number().int().min(0)
const rfc3339 = z.iso.datetime({ offset: true })

export const categoryView = z.enum([
  'validation',
  'permanent',
  'transient',
  'timeout',
  'processing',
  'unknown',
])

export const eventView = z.object({
  id: z.string(),
  type: z.string(),
  version: z.number().int(),
  source: z.string(),
  subject: z.string().nullish(),
  tenant: z.string(),
  key: z.string().nullish(),
  time: rfc3339.describe('When it happened'),
  recordedAt: rfc3339.describe('When the database wrote it'),
  data: z.unknown().describe('The JSON that was published. null, too, where `unreadable` is said'),
  unreadable: z
    .object({ claim: z.string().describe('Their name there'), reason: z.string() })
    .optional()
    .describe('Its data lie in the object store, and could not be fetched'),
  traceparent: z.string(),
  correlationId: z.string().describe('Id of the first event of its chain'),
  causationId: z.string().nullish().describe('Id of the event whose handler published it'),
  extensions: z.record(z.string(), z.unknown()),
  position: z.object({ epoch: z.number().int(), seq: z.number().int() }),
})

export const failureView = z.object({
  category: categoryView,
  name: z.string(),
  message: z.string(),
  stack: z.string().nullable(),
  code: z.string().nullable(),
  fingerprint: z.string().describe('Same fault, same fingerprint'),
})

export const runView = z.object({
  round: z.number().int(),
  attempt: z.number().int(),
  startedAtMs: milliseconds,
  durationMs: z.number(),
  outcome: z.enum(['done', 'retry', 'dead']),
  worker: z.string(),
  failure: failureView.nullable(),
})

const waitView = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('paused').describe('Its subscription is') }),
    z.object({ kind: z.literal('breaker').describe('It is open'), breaker: z.string() }),
    z.object({
      kind: z.literal('letter').describe('An earlier event of its key is dead'),
      letter: z.string(),
    }),
    z.object({ kind: z.literal('key').describe('An earlier event of its key is not through') }),
    z.object({ kind: z.literal('retry').describe('Its next attempt is due then'), dueAtMs: milliseconds }),
    z.object({ kind: z.literal('worker').describe('None that lives holds its subscription') }),
    z.object({ kind: z.literal('turn').describe('Others are before it') }),
  ])
  .nullable()
  .describe('Why it does not run now; null where it runs or is through')

export const deliveryView = z.object({
  id: z.string().describe('Never changes, whatever the attempt'),
  subscription: z.string(),
  replay: z.string().nullable(),
  state: z.enum([
    'pending',
    'retry',
    'running',
    'waiting',
    'completed',
    'dead',
    'redriving',
    'redriven',
    'discarded',
  ]),
  attempt: z.number().int(),
  dueAtMs: milliseconds.nullable(),
  failure: failureView.nullable(),
  runs: z.array(runView),
  wait: waitView,
})

export const causalNode = z.object({
  event: eventView,
  get children() {
    return z.array(causalNode)
  },
})

export const eventDetails = z.object({
  event: eventView,
  deliveries: z.array(deliveryView),
  chain: causalNode.describe('All events of the correlation, from the first'),
  otherTenants: z
    .array(z.string())
    .max(100)
    .describe('Others that have an event of this id; empty where the tenant was given'),
})

const handlingView = z
  .object({
    running: count.describe('Handlers that run, as workers said at their last heartbeat, a second ago or so'),
    retries: count.describe('Deliveries that wait for their next attempt'),
    runs: count
      .max(1_000)
      .describe('Attempts that the percentiles are of: the newest 1,000 of the last five minutes'),
    sinceMs: milliseconds.nullable().describe('When the oldest of them was settled'),
    p50Ms: z.number().min(0).nullable().describe('From the start of an attempt to its end'),
    p99Ms: z.number().min(0).nullable(),
  })
  .describe('Over all workers, without replays')

export const subscriptionView = z.object({
  name: z.string(),
  app: z.string().describe('That registered it last'),
  state: z.enum(['active', 'paused']),
  priority: z.enum(['alarm', 'normal']),
  on: z.array(z.string()),
  shards: z.number().int(),
  policies: z.record(z.string(), z.unknown()),
  matched: count,
  completed: count,
  retrying: count,
  dead: count,
  replayDead: count.describe(
    'Dead letters of its replays that wait for a person: none of the other counts has them',
  ),
  discarded: count,
  skipped: count,
  haltedKeys: count.describe('Keys that wait behind a dead letter of their own'),
  lagEvents: count.describe('Events of its types behind its cursor: what it still has to take'),
  lagExact: z.boolean().describe('false: they are many, and it is about so many'),
  lagSeconds: z.number().min(0).describe('Age of the oldest of them'),
  owners: z.array(z.string()),
  perSecond: z
    .number()
    .min(0)
    .nullable()
    .describe('Deliveries completed a second, over some seconds. null until two readings tell it'),
  handling: handlingView,
})

export const deadLetterView = z.object({
  id: z.string().describe('`subscription/epoch.seq`; in a URL write "/" as %2F'),
  subscription: z.string(),
  tenant: z.string(),
  state: z.enum(['dead', 'redriving', 'redriven', 'discarded']),
  event: z.object({
    id: z.string(),
    type: z.string(),
    version: z.number().int(),
    source: z.string(),
    subject: z.string().nullable(),
    key: z.string().nullable(),
    time: z.string(),
    data: z.unknown().describe('null when the body lies in the object store'),
    claim: z.string().nullable(),
    correlationId: z.string(),
  }),
  attempts: count,
  round: count.describe('How often it was redriven'),
  failure: failureView,
  halts: z.boolean().describe('Its key waits for an operator'),
  diedAtMs: milliseconds,
  redrive: z.string().nullable(),
  resolvedAtMs: milliseconds.nullable(),
  resolvedBy: z.string().nullable(),
  reason: z.string().nullable(),
})

export const deadLetterDetails = deadLetterView.extend({
  schema: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe(
      'Of its data as JSON Schema (draft 2020-12): what edited data must fit. null where nobody can tell',
    ),
})

export const deadLetterGroupView = z.object({
  subscription: z.string(),
  category: categoryView,
  fingerprint: z.string(),
  message: z.string(),
  count,
  firstAtMs: milliseconds,
  lastAtMs: milliseconds,
  hourly: z
    .array(count)
    .length(24)
    .describe('How many died in each of the last 24 hours, the one that ends now last'),
})

export const redriveView = z.object({
  id: z.string(),
  state: z.enum(['canary', 'running', 'completed', 'stopped']),
  filter: z.record(z.string(), z.unknown()),
  rate: z.number(),
  canary: count,
  stopAtErrorRate: z.number(),
  selected: count,
  sent: count,
  succeeded: count,
  failed: count,
  actor: z.string(),
  reason: z.string().nullable(),
  note: z.string().nullable().describe('Why it stopped'),
  createdAtMs: milliseconds,
  endedAtMs: milliseconds.nullable(),
  edited: z.boolean().describe('It sends a letter with other data than that died with'),
  data: z
    .unknown()
    .optional()
    .describe('Those data, where the redrive is asked for alone. What is personal in them stays enciphered'),
})

export const redrivePreviewView = z.object({
  selected: count,
  guarded: count.describe('Left out: redriven roundsMax times before'),
  groups: z.array(deadLetterGroupView),
})

export const replayView = z.object({
  id: z.string(),
  subscription: z.string(),
  state: z.enum(['running', 'completed', 'stopped']),
  fromMs: milliseconds.nullable(),
  untilTick: z.number().int(),
  matched: count,
  completed: count,
  retrying: count,
  dead: count,
  progress: z.number().min(0).max(1),
  actor: z.string(),
  createdAtMs: milliseconds,
  endedAtMs: milliseconds.nullable(),
})

export const replayPreviewView = z.object({
  events: count.describe('Those of the events looked at that the subscription takes'),
  scanned: count.describe(
    'Events looked at, from the start on: the first 100,000 or so, with a filter 2,000',
  ),
  beyond: count.describe(
    'Events of the log behind those, whatever they are; beyond 100,000 an estimate. 0: `events` is all',
  ),
})

export const workerView = z.object({
  id: z.string(),
  identity: z.string(),
  host: z.string(),
  processId: z.number().int(),
  version: z.string(),
  startedAtMs: milliseconds,
  heartbeatAtMs: milliseconds,
  consumers: count,
  running: z.record(z.string(), count).describe('Handlers that ran at its last heartbeat, by subscription'),
})

export const breakerView = z.object({
  name: z.string(),
  tenant: z.string().describe('Empty for a breaker of the whole service'),
  key: z.string().describe('Of that tenant; empty for a breaker of all its keys'),
  state: z.enum(['closed', 'open', 'half-open']),
  failures: count,
  openedAtMs: milliseconds.nullable(),
  opensForMs: z.number().describe('Until probes may go; 0 when they may'),
  closedForMs: z.number().nullable(),
  lastError: z.string().nullable(),
})

export const endpointView = z.object({
  webhooks: z.string(),
  tenant: z.string(),
  endpoint: z.string().describe('Its id, as the app has it'),
  failingSinceMs: milliseconds.nullable().describe('Nothing but failures since then'),
  failures: count.describe('Since then'),
  lastFailedAtMs: milliseconds.nullable(),
  lastError: z.string().nullable(),
  disabled: z
    .object({
      atMs: milliseconds,
      cause: z
        .enum(['gone', 'failing', 'person'])
        .describe('It answered 410, it had only failed for too long, or somebody did it'),
      by: z.string(),
      reason: z.string().nullable(),
    })
    .nullable()
    .describe('null while it gets messages'),
})

export const auditView = z.object({
  id: z.number().int(),
  atMs: milliseconds,
  actor: z.string(),
  action: z.string(),
  target: z.string(),
  details: z.record(z.string(), z.unknown()),
})

export const findingView = z.object({
  severity: z.enum(['error', 'warning', 'info']),
  subject: z.string(),
  message: z.string(),
  advice: z.string().describe('A command, or what to change'),
  here: z
    .string()
    .optional()
    .describe('What to do at `place` in the console. Left out where it has no button for it'),
  place: z
    .object({
      kind: z.enum(['subscription', 'dead-letters', 'workflows', 'breakers', 'webhooks', 'workers']),
      name: z
        .string()
        .nullable()
        .describe('Of the subscription (its dead letters), or of the workflow. null: all of the kind'),
    })
    .nullable()
    .describe('Where it is looked at and mended. null where that is outside of Eventspine, or in the code'),
})

export const doctorView = z.object({
  healthy: z.boolean(),
  findings: z.array(findingView),
  subscriptions: z.array(
    z.looseObject({
      name: z.string(),
      app: z
        .string()
        .describe(
          'That registered it last. Of other apps is judged what the log tells: balance, lag, dead letters, who runs it',
        ),
      matched: count,
      completed: count,
      retrying: count,
      dead: count,
      skipped: count,
      balanced: z.boolean().describe('matched = completed + retrying + dead + skipped'),
      lagEvents: count.describe('Events that it still has to take'),
      lagExact: z.boolean().describe('false: about so many'),
      lagSeconds: z.number(),
    }),
  ),
  database: z.looseObject({ version: z.string() }),
})

export const problemView = z.object({
  type: z.string().describe('Stable URI of the kind: urn:eventspine:error:CODE'),
  title: z.string(),
  status: z.number().int(),
  detail: z.string().describe('What is wrong, and what to send instead'),
  instance: z.string().describe('This occurrence: its request id, which is in the log'),
  code: z.string(),
  field: z
    .string()
    .optional()
    .describe('JSON Pointer into the body; /query/…, /path/… and /headers/… for other parts'),
  issues: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
})

/** Names under which the OpenAPI document lists them. */
export const namedViews = {
  Event: eventView,
  Failure: failureView,
  Run: runView,
  Delivery: deliveryView,
  CausalNode: causalNode,
  EventDetails: eventDetails,
  Subscription: subscriptionView,
  DeadLetter: deadLetterView,
  DeadLetterDetails: deadLetterDetails,
  DeadLetterGroup: deadLetterGroupView,
  Redrive: redriveView,
  RedrivePreview: redrivePreviewView,
  Replay: replayView,
  ReplayPreview: replayPreviewView,
  Worker: workerView,
  Breaker: breakerView,
  WebhookEndpoint: endpointView,
  AuditEntry: auditView,
  Finding: findingView,
  DoctorReport: doctorView,
  Problem: problemView,
} as const
