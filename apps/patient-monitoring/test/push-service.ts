// A push service on this machine: it speaks the protocol as those of the browsers do (RFC 8030, 8291, 8292), so that whatever passes it
// would reach a phone. It deciphers what it gets, as the phone would, and answers what the test wants it to answer.
import {
  createDecipheriv,
  createECDH,
  createPublicKey,
  hkdfSync,
  type JsonWebKey,
  randomBytes,
  verify,
} from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** How a phone's endpoint answers. `never`: the connection stays open, and nothing comes. */
export type Answer =
  | 201
  | 404
  | 410
  | 500
  | 'never'
  | { readonly status: 429; readonly retryAfterSeconds: number }

export interface Received {
  readonly phone: string
  readonly alarm: { readonly id: string; readonly bed: string; readonly priority: string }
  readonly person: string
  readonly acknowledge: { readonly path: string; readonly person: string; readonly token: string }
  readonly topic: string | undefined
  readonly urgency: string | undefined
  readonly atMs: number
}

/** As `PushSubscription.toJSON()` of a browser. */
export interface Subscribed {
  readonly endpoint: string
  readonly keys: { readonly p256dh: string; readonly auth: string }
}

interface Phone {
  readonly ecdh: ReturnType<typeof createECDH>
  readonly auth: Buffer
  /** The next answers; the last one stays. */
  answers: Answer[]
  requests: number
}

const bodyBytesMax = 4_096

export class PushService {
  readonly #phones = new Map<string, Phone>()
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined
  #origin = ''
  /** What phones have been given: only what was answered 201. */
  readonly received: Received[] = []
  /** Why requests were refused that no push service would take. */
  readonly faults: string[] = []

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      this.#take(request, response).catch((error: unknown) => {
        this.faults.push(error instanceof Error ? error.message : String(error))
        response.writeHead(400).end()
      })
    })
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#origin = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Also those to whom it never answers. */
  async stop(): Promise<void> {
    const closed = this.#server && once(this.#server, 'close')
    this.#server?.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  get origin(): string {
    return this.#origin
  }

  /** A phone that subscribes: it answers so, one after another, and the last of them from then on. */
  subscribe(phone: string, ...answers: readonly Answer[]): Subscribed {
    const ecdh = createECDH('prime256v1')
    const p256dh = ecdh.generateKeys().toString('base64url')
    const auth = randomBytes(16)
    this.#phones.set(phone, { ecdh, auth, answers: answers.length === 0 ? [201] : [...answers], requests: 0 })
    return { endpoint: `${this.#origin}/push/${phone}`, keys: { p256dh, auth: auth.toString('base64url') } }
  }

  answer(phone: string, ...answers: readonly Answer[]): void {
    this.#of(phone).answers = [...answers]
  }

  requests(phone: string): number {
    return this.#of(phone).requests
  }

  #of(name: string): Phone {
    const phone = this.#phones.get(name)
    if (phone === undefined) throw new Error(`There is no phone "${name}"`)
    return phone
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = request.url?.replace('/push/', '') ?? ''
    const phone = this.#of(name)
    phone.requests += 1
    const body = await bodyOf(request)
    this.#judge(request)
    const message = JSON.parse(decipher(phone, body).toString()) as Pick<
      Received,
      'alarm' | 'person' | 'acknowledge'
    >
    const answer = (phone.answers.length > 1 ? phone.answers.shift() : phone.answers[0]) ?? 201
    if (answer === 'never') return
    if (typeof answer === 'object') {
      response.writeHead(answer.status, { 'retry-after': String(answer.retryAfterSeconds) }).end()
      return
    }
    if (answer === 201) {
      const { topic, urgency } = request.headers as Record<string, string | undefined>
      this.received.push({ phone: name, ...message, topic, urgency, atMs: Date.now() })
    }
    response.writeHead(answer, answer === 201 ? { location: `${this.#origin}/message/1` } : {}).end()
  }

  // RFC 8030, 5: TTL is needed; RFC 8292: who sends has signed for this origin, and not for long.
  #judge({ headers, method }: IncomingMessage): void {
    if (method !== 'POST') throw new Error(`${method} is not POST`)
    if (!/^\d+$/.test(String(headers['ttl']))) throw new Error('there is no TTL')
    if (headers['content-encoding'] !== 'aes128gcm')
      throw new Error(`encoded as ${headers['content-encoding']}`)
    const [, token = '', key = ''] = /^vapid t=([^,]+), ?k=(.+)$/.exec(headers.authorization ?? '') ?? []
    const [head = '', claims = '', signature = ''] = token.split('.')
    const point = Buffer.from(key, 'base64url')
    const [x, y] = [point.subarray(1, 33), point.subarray(33, 65)].map((each) => each.toString('base64url'))
    const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y } as JsonWebKey, format: 'jwk' })
    const isSigned = verify(
      'sha256',
      Buffer.from(`${head}.${claims}`),
      { key: publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    )
    if (!isSigned) throw new Error('the VAPID token is not signed by its key')
    const { aud, exp, sub } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<
      string,
      unknown
    >
    if (aud !== this.#origin) throw new Error(`the VAPID token is for ${aud}`)
    const leftSeconds = Number(exp) - Date.now() / 1_000
    if (!(leftSeconds > 0 && leftSeconds <= 24 * 3_600)) throw new Error(`the VAPID token runs out at ${exp}`)
    if (!/^(mailto:|https:)/.test(String(sub))) throw new Error(`the VAPID token names nobody: ${sub}`)
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const body = Buffer.concat(parts)
  if (body.length > bodyBytesMax) throw new Error(`the message has ${body.length} bytes`)
  return body
}

// RFC 8188 and 8291: salt (16), record size (4), length of the key (1), public key of the sender, one record.
function decipher({ ecdh, auth }: Phone, body: Buffer): Buffer {
  const salt = body.subarray(0, 16)
  const keyBytes = body.readUInt8(20)
  const sender = body.subarray(21, 21 + keyBytes)
  const record = body.subarray(21 + keyBytes)
  const shared = ecdh.computeSecret(sender)
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), ecdh.getPublicKey(), sender])
  const secret = derived(shared, auth, info, 32)
  const key = derived(secret, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16)
  const nonce = derived(secret, salt, Buffer.from('Content-Encoding: nonce\0'), 12)
  const decipherer = createDecipheriv('aes-128-gcm', key, nonce)
  decipherer.setAuthTag(record.subarray(-16))
  const padded = Buffer.concat([decipherer.update(record.subarray(0, -16)), decipherer.final()])
  // The last record ends with a 2, and zeros.
  return padded.subarray(0, padded.lastIndexOf(2))
}

const derived = (secret: Buffer, salt: Buffer, info: Buffer, bytes: number) =>
  Buffer.from(hkdfSync('sha256', secret, salt, info, bytes))
