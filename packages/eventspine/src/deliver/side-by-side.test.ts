import { expect, it } from 'vitest'
import { type Outcome, outcomes } from '../handle/outcome.js'
import { freshItem } from './item.js'
import type { Failure } from './port.js'
import { type Handle, SideBySide } from './side-by-side.js'

const tick = { number: 1, epoch: 1, after: '', snapshot: '', seqEstimate: 0, madeAtMs: 0 }
const item = (seq: number) =>
  freshItem({ epoch: 1, xid: 1, seq, tick: 1, key: null } as Parameters<typeof freshItem>[0], tick)
const done: Outcome = { kind: 'done', published: [] }
const dead: Outcome = { kind: 'dead', failure: { category: 'permanent' } as Failure }

/** A database that refuses 'bad', and answers the rest. */
const query = async (text: string) => {
  if (text === 'bad') throw new Error('refused')
  return { rows: [], rowCount: 0 }
}
const tried = (handle: Handle) =>
  new SideBySide().try([item(1), item(2), item(3)], { query }, { handle, outcomes, width: 3 })

it('charges nobody where a handler swallows the failure of its statement, and lets each run alone', async () => {
  const answer = await tried(async ({ event: { seq } }, tx) => {
    if (seq === 1)
      return await tx.query('bad').then(
        () => dead,
        () => done,
      )
    // It wraps what it was told, so that nobody sees any more that it had to give up.
    return await tx.query('good').then(
      () => done,
      () => dead,
    )
  })
  expect(answer).toEqual({ kind: 'again', alone: true })
})

it('records nothing where a neighbour does not notice that it had to give up', async () => {
  const answer = await tried(async ({ event: { seq } }, tx) => {
    await tx.query(seq === 1 ? 'bad' : 'good').catch(() => {})
    return done
  })
  expect(answer).toEqual({ kind: 'again', alone: true })
})

it('sets apart the one whose statement failed, and all that failed without asking anything', async () => {
  const answer = await tried(async ({ event: { seq } }, tx) => {
    if (seq === 3) return dead
    return await tx.query(seq === 1 ? 'bad' : 'good').then(
      () => done,
      () => dead,
    )
  })
  expect(answer.kind === 'failed' && answer.failed.map(({ item: { event } }) => event.seq)).toEqual([1, 3])
})

it('does not believe a handler that fails without waiting for its answer', async () => {
  const answer = await tried(async ({ event: { seq } }, tx) => {
    const asked = tx.query('good')
    if (seq === 2) return dead
    await asked
    return done
  })
  expect(answer).toEqual({ kind: 'again', alone: false })
})
