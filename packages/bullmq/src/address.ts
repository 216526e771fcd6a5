// Which queue in which Redis is meant, as far as a connection tells: so that an app which would empty what it fills is refused.
import type { ConnectionOptions } from 'bullmq'

/** What of a connection says where it leads, as ioredis names it. */
interface Place {
  readonly url?: string
  readonly host?: string
  readonly port?: number
  readonly path?: string
  readonly db?: number
  readonly sentinels?: readonly unknown[] | null
}

const prefixDefault = 'bull'
const portDefault = 6379

/** Undefined where the connection does not say it: that of a cluster, or one behind sentinels. Holds no credentials. */
export function addressOf(
  queue: string,
  connection: ConnectionOptions | undefined,
  prefix = prefixDefault,
): string | undefined {
  const place = placeOf(connection)
  return place === undefined ? undefined : `${place} ${JSON.stringify(prefix)} ${JSON.stringify(queue)}`
}

function placeOf(connection: ConnectionOptions | undefined): string | undefined {
  const given = (connection ?? {}) as Place & { readonly options?: Place; readonly isCluster?: boolean }
  if (given.isCluster === true) return undefined
  // A client of the caller's has them below `options`.
  const { url, sentinels, path, host, port, db } = given.options ?? given
  if (sentinels !== undefined && sentinels !== null) return undefined
  if (typeof url === 'string' && url !== '') return ofUrl(url)
  if (typeof path === 'string' && path !== '') return `unix:${path}/${db ?? 0}`
  return redis(host, port, db)
}

function ofUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { hostname, port, pathname } = new URL(text)
  return redis(hostname, port, pathname.slice(1))
}

const redis = (
  host: string | undefined,
  port: number | string | undefined,
  db: number | string | undefined,
) => `redis://${hostOf(host ?? '')}:${port || portDefault}/${db || 0}`

const hostOf = (host: string) => (/^(?:localhost)?$/i.test(host) ? '127.0.0.1' : host.toLowerCase())
