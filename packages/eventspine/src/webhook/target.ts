// Where a message may go. An address of a customer's is a way into our own network until every place that its name stands
// for was looked at: it is resolved once, all answers are judged, and the connection is made to what was judged.
import { lookup, Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { isPublicAddress } from './address.js'

export interface NetworkOptions {
  /** Take `http://` as well: whoever listens on the way reads it all. Default false. */
  readonly allowHttp?: boolean
  /** Take private, local and reserved addresses as well: for tests, and for an intranet where all who name endpoints are
   *  trusted. Names are then looked up as the machine does, `localhost` and its hosts file included. Default false. */
  readonly allowPrivate?: boolean
  /** Default 443 and 8443, and with `allowHttp` 80 and 8080. `any` for all. */
  readonly ports?: readonly number[] | 'any'
  /** Certificates of authorities to trust in place of those that come with Node, in PEM: for an intranet with its own. */
  readonly ca?: string | readonly string[]
}

export interface Address {
  readonly address: string
  readonly family: 4 | 6
}

/** A place that was judged. */
export interface Target {
  readonly url: URL
  /** To these a connection may be made, and to no other. */
  readonly addresses: readonly Address[]
}

/** Nothing may be sent there, however often it is tried. */
export class TargetRefused extends Error {}

/** All addresses of a name; rejects where there is none. */
export type Resolve = (host: string) => Promise<readonly string[]>

const urlCharactersMax = 2_000
/** A name may stand for more; nobody needs them. */
const addressesMax = 8

/** Judges an address as far as that goes without asking anyone. Throws TargetRefused. */
export function judgedUrl(text: unknown, options: NetworkOptions): URL {
  if (typeof text !== 'string' || text.length > urlCharactersMax || !URL.canParse(text))
    throw new TargetRefused(`is no URL of at most ${urlCharactersMax} characters`)
  const url = new URL(text)
  const { protocol, username, password } = url
  const { allowHttp = false, allowPrivate = false } = options
  if (protocol !== 'https:' && !(allowHttp && protocol === 'http:'))
    throw new TargetRefused(`must begin with https://${allowHttp ? ' or http://' : ''}`)
  if (username !== '' || password !== '')
    throw new TargetRefused('must hold no user and no password: messages are signed')
  const port = Number(url.port) || (protocol === 'https:' ? 443 : 80)
  const ports = options.ports ?? (allowHttp ? [443, 8443, 80, 8080] : [443, 8443])
  if (ports !== 'any' && !ports.includes(port))
    throw new TargetRefused(`names port ${port}; there are ${ports.join(', ')}`)
  // Here 0x7f.1, 2130706433 and 127.0.0.1 have become the same.
  const literal = literalOf(url)
  if (literal !== undefined && !allowPrivate && !isPublicAddress(literal)) throw notPublic(literal)
  return url
}

/** Judges it, and every address that its name stands for. Throws TargetRefused; rejects as `resolve` does. */
export async function targetOf(text: unknown, options: NetworkOptions, resolve?: Resolve): Promise<Target> {
  const url = judgedUrl(text, options)
  const { allowPrivate = false } = options
  const literal = literalOf(url)
  const ask = resolve ?? (allowPrivate ? lookUp : resolved)
  const all = literal === undefined ? await ask(url.hostname) : [literal]
  if (all.length === 0) throw new Error(`"${url.hostname}" has no address`)
  // One of them is enough to refuse it: which of them a connection takes is chance.
  const refused = allowPrivate ? undefined : all.find((address) => !isPublicAddress(address))
  if (refused !== undefined) throw notPublic(refused)
  return { url, addresses: all.slice(0, addressesMax).map(addressOf) }
}

function literalOf({ hostname }: URL): string | undefined {
  const address = hostname.replace(/^\[|\]$/g, '')
  return isIP(address) === 0 ? undefined : address
}

const addressOf = (address: string): Address => ({ address, family: isIP(address) === 6 ? 6 : 4 })

const notPublic = (address: string) =>
  new TargetRefused(`leads to ${address}, which is no address of the public internet`)

const resolveMsMax = 2_000
const triesMax = 2

/**
 * Asks these name servers, or those of the machine. Not by `lookup`: that takes one of four threads for as long as the name
 * server of a stranger likes, and those are the whole process's.
 */
export function askingNameServers(servers?: readonly string[]): Resolve {
  const resolver = new Resolver({ timeout: resolveMsMax, tries: triesMax })
  if (servers !== undefined) resolver.setServers(servers)
  return async (host) => {
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    const [first] = answers
    if (found.length > 0 || first.status === 'fulfilled') return found
    throw first.reason
  }
}

const resolved = askingNameServers()

async function lookUp(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address)
}
