import { expect, test } from 'vitest'
import { routeTable } from '../route/table.js'
import { roleNames, roleOf, roles } from './roles.js'

test('each role may more than the one before it', () => {
  for (const [at, role] of roleNames.entries())
    for (const before of roleNames.slice(0, at))
      expect(roles[before].every((scope) => (roles[role] as readonly string[]).includes(scope))).toBe(true)
})

test('scopes are a role in any order, and no role when one is missing or more', () => {
  expect(roleOf(['operate', 'read'])).toBe('operator')
  expect(roleOf(['read'])).toBe('viewer')
  expect(roleOf(['publish', 'read'])).toBeUndefined()
  expect(roleOf([])).toBeUndefined()
})

test('a viewer is let in where nothing is changed', () => {
  const viewers = routeTable.filter(({ access }) => access.scope === 'read' || access.orScope === 'read')
  const changing = viewers.filter(({ method }) => method !== 'GET').map(({ operationId }) => operationId)
  expect(changing).toEqual(['checkDeadLetter', 'previewRedrive', 'previewReplay'])
})

test('what cannot be undone is for an admin', () => {
  const admins = routeTable.filter(({ access }) => access.scope === 'admin')
  expect(admins.map(({ operationId }) => operationId).sort()).toEqual([
    'createKey',
    'discardDeadLetters',
    'listKeys',
    'removeSubscription',
    'terminateWorkflow',
    'withdrawKey',
  ])
})
