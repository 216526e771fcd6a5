// AWS Signature Version 4 for S3, from its published description: what S3 and its look-alikes ask of each request.
import { createHash, createHmac } from 'node:crypto'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** For temporary credentials. */
  readonly sessionToken?: string
}

export interface SignedRequest {
  readonly method: string
  readonly url: URL
  /** Headers that take part besides `host` and those of the signature, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
  readonly region: string
  readonly credentials: Credentials
  /** Milliseconds since 1970. S3 refuses what is a quarter of an hour off. */
  readonly timeMs: number
}

const algorithm = 'AWS4-HMAC-SHA256'

/** The headers to send, `host` aside, which the client sets. */
export function signedHeaders(request: SignedRequest): Record<string, string> {
  const { credentials, region } = request
  const time = new Date(request.timeMs).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`
  const headers: Record<string, string> = {
    ...request.headers,
    'x-amz-content-sha256': hash(request.body),
    'x-amz-date': time,
    ...(credentials.sessionToken === undefined ? {} : { 'x-amz-security-token': credentials.sessionToken }),
  }
  const signed = Object.entries({ ...headers, host: request.url.host }).sort(([a], [b]) => (a < b ? -1 : 1))
  const names = signed.map(([name]) => name).join(';')
  const text = [algorithm, time, scope, hash(canonicalRequest(request, signed, names))].join('\n')
  const signature = hmac(signingKey(credentials.secretAccessKey, time.slice(0, 8), region), text).toString(
    'hex',
  )
  const authorization = `${algorithm} Credential=${credentials.accessKeyId}/${scope},SignedHeaders=${names},Signature=${signature}`
  return { ...headers, authorization }
}

function canonicalRequest(
  { method, url, body }: SignedRequest,
  headers: readonly (readonly [string, string])[],
  names: string,
): string {
  const lines = headers.map(([name, value]) => `${name}:${value.trim().replace(/ +/g, ' ')}\n`).join('')
  return [method, canonicalPath(url), canonicalQuery(url), lines, names, hash(body)].join('\n')
}

const canonicalPath = (url: URL) =>
  url.pathname
    .split('/')
    .map((part) => encode(decodeURIComponent(part)))
    .join('/')

const canonicalQuery = (url: URL) =>
  [...url.searchParams]
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a < b || (a === b && x < y) ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')

// encodeURIComponent leaves five characters alone that the description wants encoded.
const encode = (text: string) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )

const signingKey = (secret: string, day: string, region: string) =>
  [day, region, 's3', 'aws4_request'].reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${secret}`)

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()
