// Who may sign in: a code is made of the invitation and the secret of the ward, so that it stands in no event and in no table, and is the
// same however often it is asked for.
import { defineSubscription } from 'eventspine'
import { invitationOpened, personInvited } from '../events.js'
import type { KeyChain } from '../keys.js'
import { recordClass } from '../policies.js'
import { codeMs, keepCode } from '../site/codes.js'

export const invite = (keys: KeyChain) =>
  defineSubscription({
    name: 'invite',
    description: 'Opens the way for somebody to sign in once.',
    on: personInvited,
    ...recordClass,
    async transact({ id, time, data: { person, ward, kind } }, context) {
      const expiresAt = new Date(Date.parse(time) + codeMs)
      await keepCode(context.tx, await keys.invitationCode(id), { person, ward, kind }, expiresAt)
      await context.publish(invitationOpened, {
        ...{ invitation: id, person, ward, kind },
        expiresAt: expiresAt.toISOString(),
      })
    },
  })
