// How people get in: whoever runs the ward asks for an address by which one person signs in once, and hands it on.
import { httpRoute } from 'eventspine/source'
import { z } from 'zod'
import { invitationOpened, name, personInvited } from '../events.js'
import type { KeyChain } from '../keys.js'
import { signInPath } from '../site/codes.js'
import { named } from './callers.js'

/** At the address of the pages. */
const answer = z.object({ path: z.string(), expiresAt: z.string() })

export const invitePerson = ({ keys }: { readonly keys: KeyChain }) =>
  httpRoute({
    name: 'invite-person',
    description: 'An address by which one person, or a display on the wall, signs in once, within 15 minutes',
    path: '/people/:person/invitations',
    access: 'operate',
    body: z.strictObject({ ward: name, kind: z.enum(['carer', 'display']).default('carer') }),
    to({ params, body, principal: { actor: by } }) {
      named(params)
      return { event: personInvited, data: { person: params.person, ...body, by } }
    },
    reply: {
      event: invitationOpened,
      to: async ({ data: { invitation, expiresAt } }) => ({
        body: { path: signInPath(await keys.invitationCode(invitation)), expiresAt },
      }),
      answers: { 200: answer },
    },
  })
