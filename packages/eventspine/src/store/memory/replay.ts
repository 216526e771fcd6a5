// Replay in memory: consumers of their own over the same log, from a place in it to where it ends now.

import { endOfTick } from '../../event/stored.js'
import { EventspineError } from '../../kernel/index.js'
import type { Replay, ReplayPort, ReplayRequest } from '../../redrive/port.js'
import { countOpen } from './letters.js'
import type { ConsumerRow, ReplayRow } from './rows.js'
import type { MemoryTables } from './tables.js'

export function replayPort(tables: MemoryTables): ReplayPort {
  return {
    async createReplay(id, request) {
      return replayView(tables, tables.replays.get(id) ?? create(tables, id, request))
    },
    async stopReplay(id, actor, reason) {
      const replay = tables.replays.get(id)
      if (replay === undefined) throw new EventspineError('NOT_FOUND', `There is no replay "${id}".`)
      if (replay.state === 'running') stop(tables, replay, actor, reason)
      return replayView(tables, replay)
    },
    async replay(id) {
      const replay = tables.replays.get(id)
      return replay === undefined ? null : replayView(tables, replay)
    },
  }
}

function create(tables: MemoryTables, id: string, request: ReplayRequest): ReplayRow {
  const { name: subscription, shards } = tables.subscription(request.subscription)
  const untilTick = tables.makeTick().number
  const fromMs = request.from instanceof Date ? request.from.getTime() : null
  const fromTick = fromMs === null ? tables.beginning() : tables.tickBefore(fromMs)
  const replay: ReplayRow = {
    id,
    subscription,
    fromMs,
    fromTick,
    untilTick,
    actor: request.actor,
    reason: request.reason ?? null,
    createdAtMs: tables.now(),
    state: 'running',
    progress: null,
    endedAtMs: null,
  }
  tables.replays.set(id, replay)
  tables.addConsumers(
    { name: subscription, shards },
    { replay: id, tick: fromTick, fromTimeMs: fromMs, untilTick },
  )
  const { actor, reason, external } = request
  tables.audit(actor, 'replay.create', id, {
    subscription,
    from: request.from ?? 'beginning',
    reason,
    external,
  })
  return replay
}

/** Ends the replays whose consumers reached their end with nothing left open. */
export function completeReplays(tables: MemoryTables): void {
  for (const replay of tables.replays.values()) {
    const consumers = tables.consumersOf(replay.subscription, replay.id)
    const over = consumers.every(({ finished, deliveries }) => finished && deliveries.size === 0)
    if (replay.state === 'running' && over) end(tables, replay, 'completed')
  }
}

// Its consumers stay, finished and at the end of the range: a dead letter can still be redriven through them, and
// nothing else of the range is read any more.
function stop(tables: MemoryTables, replay: ReplayRow, actor: string, reason: string | undefined): void {
  const consumers = tables.consumersOf(replay.subscription, replay.id)
  const progress = progressOf(replay, consumers)
  replay.progress = progress
  let released = 0
  for (const consumer of consumers) {
    // Fences the holder: what it still runs can settle nothing. It keeps the lease until it gives that back, since it
    // learns of this later, and a pause must wait for what it runs.
    consumer.token++
    // One that reads shares what it reads with others, and may have passed its end: a cursor never goes back.
    if (consumer.tick <= replay.untilTick) Object.assign(consumer, { tick: replay.untilTick, seq: endOfTick })
    consumer.finished = true
    released += consumer.deliveries.size
    dropRows(tables, consumer)
  }
  end(tables, replay, 'stopped')
  const { id, subscription, matched, completed, dead } = replayView(tables, replay)
  const change = { before: 'running', after: 'stopped', progress, matched, completed, dead, released, reason }
  tables.audit(actor, 'replay.stop', id, { subscription, ...change })
}

/** Open deliveries of a stopped replay are passed over; one that was redriven is a dead letter again. */
function dropRows(tables: MemoryTables, consumer: ConsumerRow): void {
  const redriven = [...tables.letters.values()].filter(
    (letter) => letter.consumer === consumer && letter.state === 'redriving',
  )
  for (const letter of redriven) {
    tables.redrives.get(letter.redrive ?? '')?.items.set(letter.id, 'released')
    letter.state = 'dead'
  }
  consumer.skipped += consumer.deliveries.size - redriven.length
  consumer.deliveries.clear()
}

function end(tables: MemoryTables, replay: ReplayRow, state: 'completed' | 'stopped'): void {
  replay.state = state
  replay.endedAtMs = tables.now()
}

export function replayView(tables: MemoryTables, replay: ReplayRow): Replay {
  const consumers = tables.consumersOf(replay.subscription, replay.id)
  const { retrying, dead, discarded } = countOpen(tables, consumers)
  return {
    id: replay.id,
    subscription: replay.subscription,
    state: replay.state,
    fromMs: replay.fromMs,
    untilTick: replay.untilTick,
    matched: consumers.reduce((sum, { matched }) => sum + matched, 0),
    completed: consumers.reduce((sum, { completed }) => sum + completed, 0),
    retrying,
    dead: dead + discarded,
    progress: progressOf(replay, consumers),
    actor: replay.actor,
    createdAtMs: replay.createdAtMs,
    endedAtMs: replay.endedAtMs,
  }
}

function progressOf(replay: ReplayRow, consumers: readonly ConsumerRow[]): number {
  const range = replay.untilTick - replay.fromTick
  if (replay.state === 'completed' || range <= 0) return 1
  if (replay.progress !== null) return replay.progress
  const shares = consumers.map(({ tick, seq }) => {
    const passed = seq === endOfTick ? tick : tick - 1
    return Math.max(0, passed - replay.fromTick) / range
  })
  return Math.min(1, ...shares)
}
