// A source: where messages of others become events of the app. This one is told over HTTP.

import type { AnyEventDefinition, PublishOptions } from '../event/index.js'
import { checkOptions } from '../kernel/index.js'
import type { Verifier } from './signature.js'

/** A message whose sender is known. */
export interface Message {
  /** The sender's id; undefined where it gives none. */
  readonly id: string | undefined
  /** By lower-case name: content type, user agent and those of well-known senders, and what the source names in `headers`. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
  /** When it came. */
  readonly at: Date
  /** The body as JSON, under the limits of every border. Throws a JsonError. */
  json(): unknown
}

/** An event that a message becomes. */
export interface Translated {
  readonly event: AnyEventDefinition
  readonly data: unknown
  /** Default `id`: the message's, with `:2`, `:3` … for those behind the first. Default `source`: `/sources/` and the name. */
  readonly options?: PublishOptions
}

export type Translation = Translated | readonly Translated[] | null

export interface WebhookOptions {
  /** Lower case, digits and dashes, at most 80 characters: the last part of its address, `/sources/NAME`. */
  readonly name: string
  /** Whose signature must be on a message: `standardWebhooks`, `stripeSignature`, `githubSignature`, or one of your own. */
  readonly verify: Verifier
  /**
   * What a message becomes; null for one that is of no interest. It may run more than once for the same message, so let it
   * only translate, within 30 s, and leave out of the data when the message came: a repeat must be the same. What it throws
   * makes the message a dead letter, which can be mended and sent again.
   */
  readonly to: (message: Message) => Translation | Promise<Translation>
  /** Further headers that `to` needs, in lower case. They are kept with a message that cannot be translated, where people
   *  see them: name none that carries a secret. */
  readonly headers?: readonly string[]
  /** Messages that are translated and stored at once; more are told to come again. Default 100. */
  readonly inFlightMax?: number
  readonly description?: string
}

export interface WebhookSource {
  readonly kind: 'source'
  readonly transport: 'http'
  readonly name: string
  readonly verify: Verifier
  readonly to: WebhookOptions['to']
  readonly headers: readonly string[]
  readonly inFlightMax: number
  readonly description: string | undefined
}

const inFlightMaxDefault = 100

const optionNames: Readonly<Record<keyof WebhookOptions, true>> = {
  name: true,
  verify: true,
  to: true,
  headers: true,
  inFlightMax: true,
  description: true,
}

/** Webhooks of somebody else. List it in `defineApp({ sources: […] })`; `@eventspine/server` takes its requests. */
export function webhook(options: WebhookOptions): WebhookSource {
  checkOptions('webhook', options, optionNames)
  const { name, verify, to, headers = [], inFlightMax = inFlightMaxDefault, description } = options
  return Object.freeze({
    ...{
      kind: 'source' as const,
      transport: 'http' as const,
      name,
      verify,
      to,
      headers,
      inFlightMax,
      description,
    },
  })
}
