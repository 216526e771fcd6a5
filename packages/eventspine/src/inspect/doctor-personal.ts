// What is wrong with the keys that encipher those of persons: data that nobody can read, and a change that is not over.

import type { MasterStanding } from '../personal/port.js'
import { counted } from './counted.js'
import type { Finding } from './doctor.js'

export interface PersonalStanding {
  /** Fingerprints of the master keys that this process was given: the first enciphers. */
  readonly masters: readonly string[]
  /** Master keys that encipher keys of persons in this cell. */
  readonly standings: readonly MasterStanding[]
}

export function personalFindings({ masters, standings }: PersonalStanding): Finding[] {
  const foreign = standings.filter(({ wrappedBy }) => !masters.includes(wrappedBy))
  const older = standings.filter(({ wrappedBy }) => masters.indexOf(wrappedBy) > 0)
  return [
    ...(foreign.length > 0
      ? [masters.length === 0 ? unjudged(foreign) : foreignFinding(foreign, masters)]
      : []),
    ...(older.length > 0 ? [rewrapFinding(older)] : []),
  ]
}

const subject = 'personal data'
const named = (standings: readonly MasterStanding[]) =>
  standings.map(({ wrappedBy, keys }) => `${counted(keys, 'person')} by ${wrappedBy}`).join(', ')

function foreignFinding(foreign: readonly MasterStanding[], masters: readonly string[]): Finding {
  const has = masters.length === 1 ? 'key is' : 'keys are'
  return {
    severity: 'error',
    subject,
    message: `Keys of persons are enciphered by a master key that this process does not have (${named(foreign)}; its own ${has} ${masters.join(', ')}). Where workers lack it, too, what they are handed of these persons is retried, then a dead letter, and nothing is published of new ones.`,
    advice:
      'Find the key that was used, and set EVENTSPINE_PERSONAL_KEY to both in all processes, with a comma between them: eventspine personal rewrap then goes over to the first',
    place: null,
  }
}

// Who only looks needs no key, and says nothing of the workers.
const unjudged = (foreign: readonly MasterStanding[]): Finding => ({
  severity: 'info',
  subject,
  message: `Keys of persons are enciphered (${named(foreign)}), and this process has no master key: whether the workers have the right one is not judged.`,
  advice: 'Give this command the EVENTSPINE_PERSONAL_KEY of the workers to have it judged',
  place: null,
})

const rewrapFinding = (older: readonly MasterStanding[]): Finding => ({
  severity: 'info',
  subject,
  message: `Keys of persons are enciphered by a master key that is not the first of EVENTSPINE_PERSONAL_KEY (${named(older)}): it cannot be removed yet.`,
  advice: 'eventspine personal rewrap, once every process has both keys',
  place: null,
})
