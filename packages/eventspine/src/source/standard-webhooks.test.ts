// Standard Webhooks against what is published about it, as facts: keys, messages, signatures, and what each receiver has to do.
//   reference  https://github.com/standard-webhooks/standard-webhooks: specification 1.0.0 (Apache-2.0), and the tests of its
//              libraries (MIT) for JavaScript (webhook.test.ts) and Go (webhook_asymmetric_test.go)
//   svix       "Verifying Webhooks Manually", https://docs.svix.com/receiving/verifying-payloads/how-manual
import { describe, expect, it } from 'vitest'
import type { ReceivedRequest } from './signature.js'
import { signStandardWebhook, standardWebhooks } from './standard-webhooks.js'

interface Vector {
  readonly source: string
  /** What the sender signs with, and what the receiver verifies with. */
  readonly signing: string
  readonly verifying: string
  readonly id: string
  readonly seconds: number
  readonly body: string
  readonly signature: string
}

const reference = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', seconds: 1_614_265_330, body: '{"test": 2432232314}' }
const shared = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

const vectors: readonly Vector[] = [
  {
    ...{ source: 'reference, symmetric', signing: shared, verifying: shared, ...reference },
    signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
  {
    ...{ source: 'reference, a secret without its prefix', ...reference },
    ...{ signing: shared.slice('whsec_'.length), verifying: shared.slice('whsec_'.length) },
    signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
  {
    // Of 18 bytes, fewer than the specification asks for: whoever receives has no say in that.
    ...{
      source: 'svix',
      signing: 'whsec_plJ3nmyCDGBKInavdOK15jsl',
      verifying: 'whsec_plJ3nmyCDGBKInavdOK15jsl',
    },
    ...{ id: 'msg_loFOjxBNrRLzqYUf', seconds: 1_731_705_121 },
    body: '{"event_type":"ping","data":{"success":true}}',
    signature: 'v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=',
  },
  {
    ...{ source: 'reference, asymmetric', ...reference },
    signing: 'whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=',
    // Not published: made of the private one by OpenSSL.
    verifying: 'whpk_ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g=',
    signature: 'v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==',
  },
]

const toleranceMs = 5 * 60_000
const another = 'Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc='

/** Name, and how a request that is in order is changed: undefined takes a header away. */
type Change = readonly [string, (vector: Vector) => Readonly<Record<string, string | undefined>>]

const accepted: readonly Change[] = [
  ['as it was sent', () => ({})],
  [
    'several signatures, one of which fits',
    ({ signature }) => ({ 'webhook-signature': `v1,${another} v2,${another} ${signature} v1,${another}` }),
  ],
]

const refused: readonly Change[] = [
  ['no id', () => ({ 'webhook-id': undefined })],
  ['no timestamp', () => ({ 'webhook-timestamp': undefined })],
  ['a timestamp that is none', () => ({ 'webhook-timestamp': 'hello' })],
  ['another timestamp', ({ seconds }) => ({ 'webhook-timestamp': String(seconds + 1) })],
  ['no signature', () => ({ 'webhook-signature': undefined })],
  ['a signature that is none', () => ({ 'webhook-signature': 'v1,dawfeoifkpqwoekfpqoekf' })],
  ['another signature', () => ({ 'webhook-signature': `v1,${another} v1a,${another}` })],
  ['a part of the signature', ({ signature }) => ({ 'webhook-signature': signature.slice(0, 8) })],
  [
    'a scheme without a signature',
    ({ signature }) => ({ 'webhook-signature': `${signature.split(',')[0]},` }),
  ],
  [
    'the signature of another scheme',
    ({ signature }) => ({ 'webhook-signature': signature.replace(/^v1a?/, 'v2') }),
  ],
]

function request(vector: Vector, changes: ReturnType<Change[1]>, awayMs = 0): ReceivedRequest {
  const { id, seconds, body, signature } = vector
  return {
    headers: {
      ...{ 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': signature },
      ...changes,
    },
    body: new TextEncoder().encode(body),
    atMs: seconds * 1_000 + awayMs,
  }
}

const refusal = expect.objectContaining({ code: 'SIGNATURE_INVALID' })

describe.each(vectors)('$source', (vector) => {
  const { id, seconds, body, signing, verifying, signature } = vector
  const verify = standardWebhooks({ secrets: [verifying] })

  it('is signed as published', () => {
    expect(signStandardWebhook([signing], { id, atMs: seconds * 1_000, body })).toEqual({
      ...{ 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': signature },
    })
  })

  it.each(accepted)('is taken: %s', (_, change) => {
    expect(verify(request(vector, change(vector)))).toEqual({ id })
  })

  it.each(refused)('is refused: %s', (_, change) => {
    expect(() => verify(request(vector, change(vector)))).toThrow(refusal)
  })

  it('is refused a second beyond five minutes, either way', () => {
    for (const awayMs of [-toleranceMs, toleranceMs]) {
      expect(verify(request(vector, {}, awayMs))).toEqual({ id })
      expect(() => verify(request(vector, {}, awayMs + Math.sign(awayMs) * 1_000))).toThrow(refusal)
    }
  })

  it('is refused where the body was read and written again', () => {
    const written = JSON.stringify(JSON.parse(body), undefined, 1)
    expect(() => verify(request({ ...vector, body: written }, {}))).toThrow(refusal)
  })
})

it.each(['', undefined, null])('%j is no secret', (secret) => {
  expect(() => standardWebhooks({ secrets: [secret as string] })).toThrow(TypeError)
})

// Deliberate: the reference makes another object for each scheme, and takes their keys without prefix. Here the prefix says which it is.
it('a private key without its prefix would be taken for a secret, and signs as one', () => {
  const [, , , pair] = vectors as [Vector, Vector, Vector, Vector]
  const { id, seconds, body, signing } = pair
  const signed = signStandardWebhook([signing.slice('whsk_'.length)], { id, atMs: seconds * 1_000, body })
  expect(signed['webhook-signature']).toMatch(/^v1,/)
})
