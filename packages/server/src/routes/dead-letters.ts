// Dead letters: what was given up, why, and discarding what needs no redrive.
import type { DeadLetter, Operator } from 'eventspine'
import { z } from 'zod'
import type { Principal } from '../access/principal.js'
import { commanded, sees, visible } from '../access/tenancy.js'
import { Problem } from '../problem/problem.js'
import { defineRoute } from '../route/route.js'
import { deadLetterFilter, deadLetterFilters } from '../schema/dead-letters.js'
import { cellQuery, idPath, listOf, noPath, pageOf, pageQuery, reasonText } from '../schema/parts.js'
import { deadLetterDetails, deadLetterGroupView, deadLetterView } from '../schema/views.js'
import { emptyPage, found, given, pageAnswer } from './answers.js'

const read = { scope: 'read', tenancy: 'filtered' } as const
const tag = 'Dead letters'

const listDeadLetters = defineRoute({
  method: 'GET',
  url: '/v1/dead-letters',
  operationId: 'listDeadLetters',
  tag,
  summary: 'List dead letters, newest first',
  access: read,
  path: noPath,
  query: pageQuery.extend({
    ...deadLetterFilters,
    state: z.enum(['dead', 'redriving', 'redriven', 'discarded']).optional(),
  }),
  successes: [{ status: 200, description: 'A page of dead letters', schema: pageOf(deadLetterView) }],
  problems: ['CELL_UNKNOWN'],
  async handle(call) {
    const { cell, ...query } = call.query
    const asked = visible(call.principal, given(query))
    if (asked === undefined) return { body: emptyPage }
    return pageAnswer(call, await call.spine.operator(cell).deadLetters(asked))
  },
})

const groupDeadLetters = defineRoute({
  method: 'GET',
  url: '/v1/dead-letters/groups',
  operationId: 'groupDeadLetters',
  tag,
  summary: 'Group dead letters by subscription, category and fault',
  access: read,
  path: noPath,
  query: cellQuery.extend(deadLetterFilters),
  successes: [{ status: 200, description: 'Groups', schema: listOf(deadLetterGroupView) }],
  problems: ['CELL_UNKNOWN'],
  async handle({ spine, principal, query }) {
    const { cell, ...rest } = query
    const filter = visible(principal, given(rest))
    return {
      body: { items: filter === undefined ? [] : await spine.operator(cell).deadLetterGroups(filter) },
    }
  },
})

const showDeadLetter = defineRoute({
  method: 'GET',
  url: '/v1/dead-letters/:id',
  operationId: 'showDeadLetter',
  tag,
  summary: 'Show a dead letter with its own copy of the event',
  description: 'Ids contain a slash: write it as %2F.',
  access: read,
  path: idPath,
  query: cellQuery,
  successes: [{ status: 200, description: 'The dead letter', schema: deadLetterDetails }],
  problems: ['NOT_FOUND', 'CELL_UNKNOWN'],
  async handle({ spine, principal, path, query }) {
    const operator = spine.operator(query.cell)
    const letter = await ownLetter(operator, principal, path.id)
    const { type, version } = letter.event
    return { body: { ...letter, schema: await operator.contracts.schemaOf(type, version) } }
  },
})

async function ownLetter(operator: Operator, principal: Principal, id: string): Promise<DeadLetter> {
  const letter = await operator.deadLetter(id)
  return found(letter !== null && sees(principal, letter.tenant) ? letter : null, 'dead letter')
}

const checkDeadLetter = defineRoute({
  method: 'POST',
  url: '/v1/dead-letters/:id/check',
  operationId: 'checkDeadLetter',
  tag,
  summary: 'Check data that would take the place of those of a dead letter',
  description:
    'As a redrive with `data` would, and without storing anything. What does not fit is refused with the field that does not.',
  access: read,
  path: idPath,
  query: cellQuery,
  body: z.strictObject({ data: z.unknown().describe('The new data') }),
  successes: [{ status: 200, description: 'They fit', schema: z.object({ ok: z.literal(true) }) }],
  problems: ['NOT_FOUND', 'EVENT_INVALID', 'EVENT_UNKNOWN', 'EVENT_TOO_LARGE', 'CELL_UNKNOWN'],
  async handle({ spine, principal, path, query, body }) {
    const operator = spine.operator(query.cell)
    await operator.checkEdit(await ownLetter(operator, principal, path.id), body.data)
    return { body: { ok: true } }
  },
})

const discardDeadLetters = defineRoute({
  method: 'POST',
  url: '/v1/dead-letters/discard',
  operationId: 'discardDeadLetters',
  tag,
  summary: 'Discard dead letters',
  description:
    'They stay in the list as discarded, and are never sent again. The filter must name something.',
  access: { scope: 'admin', tenancy: 'filtered' },
  path: noPath,
  query: cellQuery,
  body: z.strictObject({ filter: deadLetterFilter, reason: reasonText }),
  successes: [{ status: 200, description: 'How many', schema: z.object({ discarded: z.number().int() }) }],
  problems: ['TENANT_FORBIDDEN', 'CELL_UNKNOWN'],
  async handle({ spine, principal, query, body }) {
    const filter = given(body.filter)
    if (Object.keys(filter).length === 0) {
      throw new Problem(
        'REQUEST_INVALID',
        'An empty filter would discard everything. Name at least one property.',
        {
          field: '/filter',
        },
      )
    }
    const own = commanded(principal, filter)
    return {
      body: { discarded: await spine.operator(query.cell).discard(own, principal.actor, body.reason) },
    }
  },
})

export const deadLetterRoutes = [
  listDeadLetters,
  groupDeadLetters,
  showDeadLetter,
  checkDeadLetter,
  discardDeadLetters,
]
