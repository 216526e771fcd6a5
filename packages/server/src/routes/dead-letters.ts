// Dead letters: what was given up, why, and discarding what needs no redrive.
import { z } from 'zod'
import { commanded, sees, visible } from '../access/tenancy.js'
import { Problem } from '../problem/problem.js'
import { defineRoute } from '../route/route.js'
import { deadLetterFilter, deadLetterFilters } from '../schema/dead-letters.js'
import { cellQuery, idPath, listOf, noPath, pageOf, pageQuery, reasonText } from '../schema/parts.js'
import { deadLetterGroupView, deadLetterView } from '../schema/views.js'
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
  successes: [{ status: 200, description: 'The dead letter', schema: deadLetterView }],
  problems: ['NOT_FOUND', 'CELL_UNKNOWN'],
  async handle({ spine, principal, path, query }) {
    const letter = await spine.operator(query.cell).deadLetter(path.id)
    const own = letter !== null && sees(principal, letter.tenant) ? letter : null
    return { body: found(own, 'dead letter') }
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
  access: { scope: 'operate', tenancy: 'filtered' },
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

export const deadLetterRoutes = [listDeadLetters, groupDeadLetters, showDeadLetter, discardDeadLetters]
