// Which of an app's contracts are to be written, and which of the registered ones stand against them.
import type { Contract } from './json-schema.js'
import type { RegisteredContract, Registration } from './port.js'

const idOf = ({ type, version }: Contract) => `${type}\n${version}`

/**
 * What registering means, given what is there: new ones are written, and a schema that nobody could tell so far. Where one
 * differs nothing is, unless `replacedBy` says who wants that.
 */
export function registrationOf(
  app: string,
  contracts: readonly Contract[],
  registered: readonly RegisteredContract[],
  replacedBy: string | null = null,
): Registration {
  const known = new Map(registered.map((each) => [idOf(each), each]))
  const replaced = contracts.flatMap((own) => {
    const before = known.get(idOf(own))
    return before !== undefined && differ(before, own) ? [before] : []
  })
  if (replaced.length > 0 && replacedBy === null) return { written: [], replaced, replacedBy }
  const written = contracts.filter((own) => isToWrite(app, known.get(idOf(own)), own))
  return { written, replaced, replacedBy }
}

function isToWrite(app: string, before: RegisteredContract | undefined, own: Contract): boolean {
  if (before === undefined || differ(before, own)) return true
  return says(own) && (!says(before) || isWordedAnew(app, before, own))
}

const says = ({ fingerprint }: Contract) => fingerprint !== ''
const differ = (before: Contract, own: Contract) =>
  says(before) && says(own) && before.fingerprint !== own.fingerprint

/** Only by the app itself: two that share an event would word it in turns. */
const isWordedAnew = (app: string, before: RegisteredContract, own: Contract) =>
  before.app === app &&
  (before.description !== own.description || JSON.stringify(before.schema) !== JSON.stringify(own.schema))
