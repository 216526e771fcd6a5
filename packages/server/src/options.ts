// What a server can be told, its limits, and what follows from both.
import { readFileSync } from 'node:fs'
import type { Logger } from 'eventspine'
import { type ApprovalLinks, approvalLinks } from 'eventspine/workflow'
import type { ApiKey } from './access/api-key.js'
import type { ConsoleFiles } from './console/files.js'

export interface ServerLimits {
  readonly headersBytesMax: number
  /** One event, or the body of a control route. */
  readonly bodyBytesMax: number
  readonly batchBytesMax: number
  readonly batchEventsMax: number
  /** So much of a body that is too large is read and thrown away, so that its sender can read the answer. */
  readonly discardedBytesMax: number
  readonly inFlightPerCredentialMax: number
  readonly connectionsMax: number
  /** Open streams of one credential: `/v1/events/tail` and `/v1/overview/live`. */
  readonly tailsPerCredentialMax: number
  readonly tailHeartbeatMs: number
  /** How long a person stays signed in to the console. */
  readonly sessionMsMax: number
  /** Sessions of one key at a time; beyond it the oldest ends. */
  readonly sessionsPerKeyMax: number
  /** A key that another server made or withdrew is known here after so long. */
  readonly storedKeysEveryMs: number
  readonly tailPollMs: number
  /** Events that a reader of `/v1/events/tail?pace=live` is sent in each `tailPollMs`; what is beyond is left out and counted. */
  readonly tailLiveEventsMax: number
  /** When the database has not answered for so long, `/v1/events/tail` says that the log cannot be read. */
  readonly tailHungMs: number
  /** A reader of a stream that takes nothing for so long is let go. */
  readonly tailStallMsMax: number
  /** A cell's overview is read at most so often, and by itself for its history. */
  readonly overviewEveryMs: number
  readonly overviewHistoryEveryMs: number
  readonly headersMsMax: number
  readonly requestMsMax: number
  readonly keepAliveMsMax: number
  /** A connection on which nothing moves for so long is closed: longer than the slowest command, a pause. */
  readonly stallMsMax: number
  /** How long `stop` waits for requests in flight before it cuts them off. */
  readonly drainMsMax: number
}

export const serverLimitsDefault: ServerLimits = Object.freeze({
  headersBytesMax: 16 * 1024,
  bodyBytesMax: 256 * 1024,
  batchBytesMax: 1024 * 1024,
  batchEventsMax: 100,
  discardedBytesMax: 8 * 1024 * 1024,
  inFlightPerCredentialMax: 100,
  connectionsMax: 2_000,
  tailsPerCredentialMax: 20,
  tailHeartbeatMs: 15_000,
  sessionMsMax: 12 * 60 * 60 * 1_000,
  sessionsPerKeyMax: 20,
  storedKeysEveryMs: 2_000,
  tailPollMs: 250,
  tailLiveEventsMax: 256,
  tailHungMs: 5_000,
  tailStallMsMax: 60_000,
  overviewEveryMs: 1_000,
  overviewHistoryEveryMs: 30_000,
  headersMsMax: 10_000,
  requestMsMax: 30_000,
  keepAliveMsMax: 60_000,
  stallMsMax: 180_000,
  drainMsMax: 25_000,
})

export interface ServerOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 4600. 0 takes a free one. */
  readonly port?: number
  /** Who may do what, beside the keys that the database holds. Made by `createApiKey`; only hashes are kept. */
  readonly apiKeys?: readonly ApiKey[]
  /** Loopback only: makes a key at start, and lets requests from this machine read and publish without one. */
  readonly development?: boolean
  /** Where the development key is kept between starts, readable by its owner alone. Default: this run only. */
  readonly keyFile?: string
  /** Host names beside the loopback ones that requests may name. Off loopback the list is checked only when given. */
  readonly allowedHosts?: readonly string[]
  readonly logger?: Logger
  /** What reads the links by which people decide what workflows ask, at `/approvals/…`. Default: `approvalLinks()`, with
   *  the secret of the environment. */
  readonly approvalLinks?: ApprovalLinks
  /** Served at `/console/`, where `/` leads browsers then: `createConsole()` of @eventspine/console. Started and stopped with
   *  the server. Default: no console. */
  readonly console?: ConsoleFiles
  /** Shown in `/openapi.json` and on the page at `/`. Default: that of this package. */
  readonly version?: string
  readonly limits?: Partial<ServerLimits>
}

export interface ServerSettings {
  readonly host: string
  readonly port: number
  readonly loopback: boolean
  readonly development: boolean
  readonly allowedHosts: readonly string[] | undefined
  readonly version: string
  readonly approvalLinks: ApprovalLinks
  readonly limits: ServerLimits
}

export const loopbackHosts = ['localhost', '127.0.0.1', '[::1]'] as const

/** Every default filled in. */
export function settingsOf(options: ServerOptions): ServerSettings {
  const host = options.host ?? '127.0.0.1'
  const loopback = isLoopback(host)
  const links = options.approvalLinks ?? approvalLinks()
  // A secret that is too short is said at the start, to whoever starts it.
  links.read('')
  const given = options.allowedHosts?.map((name) => name.toLowerCase())
  return {
    host,
    port: options.port ?? 4600,
    loopback,
    development: options.development ?? false,
    allowedHosts: loopback ? [...new Set([...loopbackHosts, host, ...(given ?? [])])] : given,
    version: options.version ?? packageVersion(),
    approvalLinks: links,
    limits: { ...serverLimitsDefault, ...options.limits },
  }
}

// One folder up, whether this runs from its sources or from its build.
function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return hasVersion ? String(manifest.version) : 'unknown'
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
