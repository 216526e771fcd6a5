// Chance that repeats: drawn from the name of the instance, so that a second run of the code draws the same.
import { createHash } from 'node:crypto'
import type { InstanceName } from './port.js'

export class Chance {
  readonly #seed: string
  #drawn = 0

  constructor({ tenant, workflow, id }: InstanceName) {
    this.#seed = JSON.stringify([tenant, workflow, id])
  }

  /** From 0 to 1, 1 not included. */
  next(): number {
    return this.#draw().readUIntBE(0, 6) / 2 ** 48
  }

  /** A UUID of version 8 (RFC 9562): made of a hash. */
  uuid(): string {
    return uuidOf(this.#draw())
  }

  #draw(): Buffer {
    return createHash('sha256')
      .update(`${this.#seed} ${this.#drawn++}`)
      .digest()
  }
}

/** The same for the same call of the same instance. */
export const uuidAt = ({ tenant, workflow, id }: InstanceName, place: string) =>
  uuidOf(
    createHash('sha256')
      .update(JSON.stringify([tenant, workflow, id, place]))
      .digest(),
  )

function uuidOf(hash: Buffer): string {
  hash[6] = 0x80 | ((hash[6] as number) & 15)
  hash[8] = 0x80 | ((hash[8] as number) & 63)
  const text = hash.toString('hex', 0, 16)
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`
}
