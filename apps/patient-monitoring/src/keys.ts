// What the application signs with: the VAPID pair, by which push services know it, and the secret behind acknowledgements and the
// passwords of devices. Made at the first start and kept in the database, so that every worker has the same.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import webPush from 'web-push'
import type { Database } from './database.js'

export interface Keys {
  readonly vapid: { readonly publicKey: string; readonly privateKey: string }
  readonly secret: string
}

/** Statement and values that keep new keys, unless there are some. */
export function firstKeys(): readonly [text: string, values: readonly string[]] {
  const { publicKey, privateKey } = webPush.generateVAPIDKeys()
  return [
    `INSERT INTO ward.key (name, value)
     SELECT * FROM unnest(ARRAY['vapid', 'secret'], ARRAY[$1, $2]) ON CONFLICT DO NOTHING`,
    [JSON.stringify({ publicKey, privateKey }), randomBytes(32).toString('base64url')],
  ]
}

const codeCharacters = 22

export class KeyChain {
  readonly #database: Database
  #keys: Promise<Keys> | undefined

  constructor(database: Database) {
    this.#database = database
  }

  read(): Promise<Keys> {
    this.#keys ??= this.#read().catch((error: unknown) => {
      this.#keys = undefined
      throw error
    })
    return this.#keys
  }

  async #read(): Promise<Keys> {
    const rows = await this.#database.query<{ name: string; value: string }>(
      'SELECT name, value FROM ward.key',
    )
    const valueOf = (name: string) => {
      const row = rows.find((each) => each.name === name)
      if (row !== undefined) return row.value
      throw new Error(
        `There is no key "${name}" in ward.key. Start the app once with its prepare: eventspine migrate.`,
      )
    }
    return { vapid: JSON.parse(valueOf('vapid')) as Keys['vapid'], secret: valueOf('secret') }
  }

  /** With it, whoever has it may acknowledge this alarm as this person. */
  async acknowledgementToken(alarm: string, person: string): Promise<string> {
    return this.#sign('acknowledge', alarm, person)
  }

  async isAcknowledgementToken(token: string, alarm: string, person: string): Promise<boolean> {
    return isSame(token, await this.acknowledgementToken(alarm, person))
  }

  /** With it, whoever is invited by this event signs in once. 128 bits. */
  async invitationCode(invitation: string): Promise<string> {
    return (await this.#sign('invitation', invitation)).slice(0, codeCharacters)
  }

  /** What the devices of a bed say when they connect. */
  async devicePassword(ward: string, bed: string): Promise<string> {
    return this.#sign('device', ward, bed)
  }

  async isDevicePassword(password: string, ward: string, bed: string): Promise<boolean> {
    return isSame(password, await this.devicePassword(ward, bed))
  }

  async #sign(...parts: readonly string[]): Promise<string> {
    const { secret } = await this.read()
    return createHmac('sha256', secret).update(JSON.stringify(parts)).digest('base64url')
  }
}

function isSame(given: string, wanted: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)]
  return one.length === other.length && timingSafeEqual(one, other)
}
