// A job of BullMQ as a source receives it, and an event as a job.
import { createHash } from 'node:crypto'
import type { Job, JobsOptions } from 'bullmq'
import type { Event } from 'eventspine'
import type { ReceivedMessage } from 'eventspine/source'

export function receivedOf(job: Job): ReceivedMessage {
  const { id = '', name, queueName, timestamp, data } = job
  const traceparent = traceparentOf(job.opts.telemetry?.metadata)
  return {
    id: `${id}-${timestamp}`,
    headers: {
      ...{ 'bullmq-job-name': name, 'bullmq-job-id': id, 'bullmq-queue': queueName },
      'bullmq-timestamp': String(timestamp),
      ...(traceparent !== undefined && { traceparent }),
    },
    body: JSON.stringify(data) ?? 'null',
  }
}

/** Of what `bullmq-otel` keeps with a job. */
function traceparentOf(metadata: string | undefined): string | undefined {
  if (metadata === undefined) return undefined
  try {
    const { traceparent } = JSON.parse(metadata) as { readonly traceparent?: unknown }
    return typeof traceparent === 'string' ? traceparent : undefined
  } catch {
    return undefined
  }
}

/** A repeat has the same id, and so is the same job, for as long as BullMQ keeps that. Each replay has its own. */
export function jobOptionsOf(event: Event, replay: string | undefined): JobsOptions {
  // Two publishers may give the same id; and BullMQ wants no colon.
  const identity = JSON.stringify([event.tenant, event.source, event.id, replay ?? ''])
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, hashCharacters)
  return {
    jobId: `${event.id.replaceAll(':', '.')}_${hash}`,
    telemetry: { metadata: JSON.stringify({ traceparent: event.traceparent }) },
  }
}

const hashCharacters = 16
