// The name of a claimed body: made of its tenant and its content, so that writing it twice writes it once, and of
// nothing but hexadecimal digits, so that it can be part of a path or an address anywhere.
import { createHash } from 'node:crypto'
import { EventspineError } from '../kernel/index.js'

/** `<32 digits of the tenant>/<64 digits of the content>`. The same for every object store. */
export function claimReference(tenant: string, body: string): string {
  const folder = sha256(`tenant\n${tenant}`).slice(0, 32)
  return `${folder}/${contentHash(folder, body)}`
}

// The tenant takes part: two tenants with the same body do not share an object, and neither can tell that the other
// has it.
const contentHash = (folder: string, body: string) => sha256(`${folder}\n${body}`)

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

export interface ReferenceParts {
  readonly folder: string
  readonly name: string
}

const form = /^([0-9a-f]{32})\/([0-9a-f]{64})$/

export const isReference = (text: string) => form.test(text)

/** Its two parts. Throws NOT_FOUND for anything that `claimReference` did not make, such as a path. */
export function referenceParts(reference: string): ReferenceParts {
  const [, folder, name] = form.exec(reference) ?? []
  if (folder === undefined || name === undefined)
    throw new EventspineError('NOT_FOUND', 'This is no reference to a claimed body.')
  return { folder, name }
}

/** `body`, once it is seen to be what the reference names. Throws NOT_FOUND when it was changed or damaged. */
export function verifiedBody(reference: string, body: string): string {
  const { folder, name } = referenceParts(reference)
  if (contentHash(folder, body) === name) return body
  throw new EventspineError(
    'NOT_FOUND',
    `The claimed body ${reference} was changed or damaged. Restore it from a backup of the object store.`,
  )
}

export const bodyGone = (reference: string, cause?: unknown) =>
  new EventspineError(
    'NOT_FOUND',
    `The claimed body ${reference} is gone from the object store. Was it removed by hand or by a lifecycle rule?`,
    { cause },
  )
