// Reads a trace from a cell: what is asked for first, then the oldest of its correlation, until there is enough.
import type { StoredEvent } from '../event/stored.js'
import { spansOf, type Trace, type TracePart, tracePart, withPublishers } from '../inspect/index.js'
import type { Store } from '../store/store.js'
import { isStimulus, kindOf, workflowOf } from '../workflow/index.js'
import { type Waiting, type WaitsOf, waitsOn } from './waits.js'

/** Of one answer: each event is read by itself. */
const eventsMax = 250
const spansMax = 1_000
/** Events that are read at once. */
const readsMax = 4
/** What the store answers of a correlation at most. */
const correlatedMax = 1_000

type Tracing = Pick<Store, 'correlated' | 'deliveries' | 'workflow'> & Waiting

export async function traceOf(store: Tracing, asked: StoredEvent): Promise<Trace> {
  const correlated = await store.correlated(asked.correlationId)
  const isAsked = ({ epoch, seq }: StoredEvent) => epoch === asked.epoch && seq === asked.seq
  // A correlation id is what publishers make it: without this, one tenant could look into another's events.
  const others = correlated.filter((each) => each.tenant === asked.tenant && !isAsked(each))
  const wanted = [asked, ...others].slice(0, eventsMax)
  const parts: [StoredEvent, TracePart][] = []
  const waitsOf = waitsOn(store)
  let spans = 0
  for (let first = 0; first < wanted.length && spans < spansMax; first += readsMax) {
    const read = wanted.slice(first, first + readsMax)
    const found = await Promise.all(read.map((event) => partOf(store, event, waitsOf)))
    for (const [at, part] of found.entries()) {
      const size = spansOf(part)
      if (parts.length > 0 && spans + size > spansMax) break
      spans += size
      parts.push([read[at] as StoredEvent, part])
    }
  }
  const inLog = parts.sort(([a], [b]) => a.epoch - b.epoch || a.seq - b.seq).map(([, part]) => part)
  return {
    correlationId: asked.correlationId,
    events: withPublishers(inLog),
    spans,
    truncated: parts.length <= others.length || correlated.length >= correlatedMax,
  }
}

async function partOf(store: Tracing, event: StoredEvent, waitsOf: WaitsOf): Promise<TracePart> {
  const [deliveries, started] = await Promise.all([store.deliveries(event), startedBy(store, event)])
  return tracePart(event, deliveries, started, await waitsOf(event, deliveries))
}

async function startedBy(store: Tracing, { id, type, tenant, key }: StoredEvent) {
  if (!isStimulus(type) || kindOf(type) !== 'started' || key === null) return null
  const found = await store.workflow({ tenant, workflow: workflowOf(type), id: key })
  // A start that came twice found an instance of another.
  const data = found?.history[0]?.data ?? null
  return data !== null && (JSON.parse(data) as { readonly event?: string }).event === id ? found : null
}
