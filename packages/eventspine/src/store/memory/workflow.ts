// Histories of workflows in memory: entries are added under the lease, or not at all.
import {
  type Attention,
  type Instance,
  type InstanceName,
  occurrencesMax,
  type Recording,
  type Standing,
  type WorkflowPort,
  type WorkflowQuery,
} from '../../workflow/port.js'
import { awaitedApproval } from '../awaited-approval.js'
import { writeEvent } from './append.js'
import type { WorkflowRow } from './rows.js'
import type { MemoryTables } from './tables.js'

const limitDefault = 50
const limitMax = 500

export const instanceKey = ({ tenant, workflow, id }: InstanceName) => JSON.stringify([tenant, workflow, id])

export function workflowPort(tables: MemoryTables): WorkflowPort {
  return { ...recordingPort(tables), ...wakingPort(tables), ...awaitedPort(tables), ...askingPort(tables) }
}

function recordingPort(
  tables: MemoryTables,
): Pick<WorkflowPort, 'loadWorkflows' | 'recordWorkflows' | 'endWorkflow'> {
  return {
    async loadWorkflows(names) {
      const found = names.map((name) => {
        const row = tables.workflows.get(instanceKey(name))
        return row === undefined ? undefined : { instance: instanceOf(row), history: [...row.history] }
      })
      return { nowMs: tables.now(), found }
    },

    async recordWorkflows(recordings) {
      const transaction = tables.begin()
      const recorded = new Set<number>()
      recordings.forEach((recording, index) => {
        const before = recordedBefore(tables, recording)
        if (!before && !write(tables, recording)) return
        recorded.add(index)
        if (!before) for (const event of recording.published) writeEvent(tables, transaction, event)
      })
      transaction.commit()
      return recorded
    },

    async endWorkflow(name, entries, { state, data }, published, act) {
      const row = tables.workflows.get(instanceKey(name))
      if (row === undefined || row.entries !== entries || row.endedAtMs !== null) return false
      const now = tables.now()
      row.history.push({ position: entries, kind: 'ended', place: '', name: '', data, atMs: now })
      row.tokens.push(0)
      Object.assign(row, { state, entries: entries + 1, changedAtMs: now, endedAtMs: now })
      Object.assign(row, { wakeAtMs: null, deadlineAtMs: null, awaited: [] })
      const transaction = tables.begin()
      for (const event of published) writeEvent(tables, transaction, event)
      transaction.commit()
      tables.audit(act.actor, act.action, act.target, act.details)
      return true
    },
  }
}

function wakingPort(tables: MemoryTables): Pick<WorkflowPort, 'wakeWorkflows' | 'nextWakeMs'> {
  return {
    async wakeWorkflows(max, wake) {
      const transaction = tables.begin()
      let count = 0
      for (const [cause, column] of [
        ['timer', 'wakeAtMs'],
        ['deadline', 'deadlineAtMs'],
      ] as const) {
        for (const row of due(tables, column).slice(0, max)) {
          row[column] = null
          count++
          const { tenant, workflow, id } = row
          for (const event of wake({ tenant, workflow, id, cause })) writeEvent(tables, transaction, event)
        }
      }
      transaction.commit()
      return count
    },

    async nextWakeMs() {
      const times = [...tables.workflows.values()].flatMap(({ wakeAtMs, deadlineAtMs }) =>
        [wakeAtMs, deadlineAtMs].filter((each) => each !== null),
      )
      return times.length === 0 ? null : Math.max(0, Math.min(...times) - tables.now())
    },
  }
}

function awaitedPort(tables: MemoryTables): Pick<WorkflowPort, 'awaiting' | 'occurrences'> {
  return {
    async awaiting(asked) {
      return asked.map(({ tenant, workflow, type, key }) =>
        [...tables.workflows.values()]
          .filter((row) => row.tenant === tenant && row.workflow === workflow)
          .filter(({ awaited }) => awaited.some((each) => each.type === type && each.key === key))
          .map(({ id }) => id),
      )
    },

    async occurrences({ tenant, type, key, since, taken, after }) {
      const events = tables.visibleEvents().filter((event) => event.tenant === tenant)
      const from = Math.min(...events.filter(({ id }) => id === since).map(({ seq }) => seq))
      const behind = Math.max(after, Number.isFinite(from) ? from : 0)
      return events
        .filter((event) => event.type === type && event.key === key && event.seq > behind)
        .filter(({ id }) => !taken.includes(id))
        .sort((a, b) => a.seq - b.seq)
        .slice(0, occurrencesMax)
    },
  }
}

function askingPort(tables: MemoryTables): Pick<WorkflowPort, 'workflows' | 'workflowEnd' | 'workflow'> {
  return {
    async workflows(query) {
      return listed(tables, query)
    },

    async workflowEnd(name) {
      const row = tables.workflows.get(instanceKey(name))
      if (row === undefined || row.endedAtMs === null) return null
      return { state: row.state, data: row.history.findLast(({ kind }) => kind === 'ended')?.data ?? null }
    },

    async workflow(name) {
      const row = tables.workflows.get(instanceKey(name))
      if (row === undefined) return null
      return { instance: instanceOf(row), history: [...row.history], ...standingOf(tables, row) }
    },
  }
}

function listed(tables: MemoryTables, query: WorkflowQuery) {
  const limit = Math.min(query.limit ?? limitDefault, limitMax)
  const rows = [...tables.workflows.values()]
    .reverse()
    .map((row) => ({ ...instanceOf(row), ...standingOf(tables, row), number: row.number }))
    .filter(
      (view) => matches(query, view) && (query.cursor === undefined || view.number < Number(query.cursor)),
    )
    .slice(0, limit)
  return {
    items: rows.map(({ number: _, ...view }) => view),
    cursor: rows.length === limit ? String(rows.at(-1)?.number) : null,
  }
}

function due(tables: MemoryTables, column: 'wakeAtMs' | 'deadlineAtMs'): WorkflowRow[] {
  const now = tables.now()
  return [...tables.workflows.values()]
    .filter((row) => (row[column] ?? Number.POSITIVE_INFINITY) <= now)
    .sort((a, b) => (a[column] as number) - (b[column] as number))
}

/** Its answer was lost on the way. */
function recordedBefore(tables: MemoryTables, recording: Recording): boolean {
  const row = tables.workflows.get(instanceKey(recording))
  const last = recording.entries.at(-1)
  if (row === undefined || last === undefined || row.entries !== recording.from + recording.entries.length)
    return false
  return row.tokens.at(-1) === recording.consumer.token && row.history.at(-1)?.data === last.data
}

function write(tables: MemoryTables, recording: Recording): boolean {
  const { consumer, from, entries, state, wakeAtMs, made, tenant, workflow, id } = recording
  const held = tables.consumer(consumer)
  if (held?.token !== consumer.token) return false
  // Its definition is not in force any more: what begins now begins on newer code.
  if (made !== null && held.supersededTick !== null) return false
  const key = instanceKey(recording)
  const now = tables.now()
  let row = tables.workflows.get(key)
  if (made !== null) {
    if (row !== undefined) return false
    row = {
      ...{ tenant, workflow, id, version: made.version, parent: made.parent, state, entries: 0 },
      ...{ startedAtMs: now, changedAtMs: now, endedAtMs: null, wakeAtMs: null },
      ...{
        deadlineAtMs: now + made.deadlineInMs,
        number: tables.nextWorkflowNumber(),
        history: [],
        tokens: [],
        awaited: [],
      },
    }
    tables.workflows.set(key, row)
  } else if (row === undefined || row.entries !== from) return false
  row.history.push(...entries)
  row.tokens.push(...entries.map(() => consumer.token))
  const ended = state !== 'running' && state !== 'compensating'
  Object.assign(row, {
    ...{ state, wakeAtMs, entries: row.history.length, changedAtMs: now },
    endedAtMs: ended ? (row.endedAtMs ?? now) : null,
    deadlineAtMs: ended ? null : row.deadlineAtMs,
    awaited: recording.awaited ?? row.awaited,
  })
  return true
}

function instanceOf(row: WorkflowRow): Instance {
  const { number: _number, history: _history, tokens: _tokens, awaited: _awaited, ...instance } = row
  return instance
}

const standingOf = (tables: MemoryTables, row: WorkflowRow): Standing => ({
  attention: attentionOf(tables, row),
  approval: approvalOf(row),
})

/** Whether it waits for the decision of a person. */
export const awaitsApproval = ({ endedAtMs, awaited }: WorkflowRow) =>
  endedAtMs === null && awaited.some(({ question }) => question !== undefined)

function approvalOf(row: WorkflowRow): Standing['approval'] {
  if (!awaitsApproval(row)) return null
  const asked = row.awaited.flatMap(({ place, question }) => (question ? [{ place, ...question }] : []))
  const [first] = asked.sort((a, b) => a.position - b.position)
  const entry = row.history[first?.position ?? -1]
  if (first === undefined || entry === undefined) return null
  return awaitedApproval({ ...first, open: asked.length }, entry)
}

function attentionOf(tables: MemoryTables, { tenant, workflow, id }: InstanceName): Attention | null {
  const letters = [...tables.letters.values()].filter(
    (letter) =>
      letter.consumer.subscription === `workflow-${workflow}` &&
      letter.event.key === id &&
      letter.event.tenant === tenant &&
      letter.halts &&
      (letter.state === 'dead' || letter.state === 'redriving'),
  )
  const [first] = letters.sort((a, b) => a.diedAtMs - b.diedAtMs)
  if (first === undefined) return null
  const redrive = tables.redrives.get(first.redrive ?? '')
  const state = first.state === 'dead' ? ('failed' as const) : ('running' as const)
  return {
    ...{ letter: first.id, message: first.failure.message, diedAtMs: first.diedAtMs, retries: first.round },
    retry:
      redrive === undefined
        ? null
        : { redrive: redrive.id, state, by: redrive.actor, atMs: redrive.createdAtMs },
  }
}

function matches(
  { tenant, workflow, state, id, version, startedAfter, startedBefore }: WorkflowQuery,
  view: Instance & Standing,
): boolean {
  if (tenant !== undefined && view.tenant !== tenant) return false
  if (workflow !== undefined && view.workflow !== workflow) return false
  if (id !== undefined && view.id !== id) return false
  if (version !== undefined && view.version !== version) return false
  if (startedAfter !== undefined && view.startedAtMs < startedAfter.getTime()) return false
  if (startedBefore !== undefined && view.startedAtMs >= startedBefore.getTime()) return false
  if (state === undefined) return true
  if (state === 'open') return view.endedAtMs === null
  if (state === 'needs-attention') return view.endedAtMs === null && view.attention !== null
  if (state === 'awaiting-approval') return view.approval !== null
  return view.state === state
}
