// Signatures by the examples that their inventors publish, and each way in which one can be wrong.
import { describe, expect, it } from 'vitest'
import { githubSignature, type ReceivedRequest, stripeSignature } from './signature.js'
import { signStandardWebhook, standardWebhooks } from './standard-webhooks.js'

const bytes = (text: string) => new TextEncoder().encode(text)

/** Of the reference implementation of Standard Webhooks. */
const standard = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  atMs: 1_614_265_330_000,
  body: '{"test": 2432232314}',
  headers: {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
}

/** Of the same: an ed25519 key is shown as its seed. */
const asymmetric = {
  secret: 'whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=',
  // Computed from the seed by OpenSSL.
  publicKey: 'whpk_ZlN4eg7dSSqi0moX9hQUk3orrOouK3QVQSlJa248c/g=',
  signature: 'v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==',
}

/** Of GitHub's documentation, "Testing the webhook payload validation". */
const github = {
  secret: "It's a Secret to Everybody",
  body: 'Hello, World!',
  signature: 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
}

const request = (changes: Partial<ReceivedRequest> = {}): ReceivedRequest => ({
  ...{ headers: standard.headers, body: bytes(standard.body), atMs: standard.atMs },
  ...changes,
})
const refusal = (verify: (request: ReceivedRequest) => unknown, changes: Partial<ReceivedRequest>) => {
  try {
    verify(request(changes))
  } catch (error) {
    return (error as { code?: string }).code === 'SIGNATURE_INVALID' ? (error as Error).message : error
  }
  return 'accepted'
}

describe('Standard Webhooks', () => {
  const verify = standardWebhooks({ secrets: [standard.secret] })

  it('takes what its sender signed, and knows its id', () => {
    expect(verify(request())).toEqual({ id: 'msg_p5jXN8AQM9LWM0D4loKWxJek' })
    expect(standardWebhooks({ secrets: [standard.secret.slice(6)] })(request())).toEqual({
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    })
  })

  it('signs as it verifies', () => {
    const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', atMs: standard.atMs, body: standard.body }
    expect(signStandardWebhook([standard.secret], message)).toEqual(standard.headers)
  })

  it('knows the new secret beside the old one', () => {
    const other = `whsec_${Buffer.from('another secret of ours').toString('base64')}`
    const message = { id: 'm', atMs: standard.atMs, body: standard.body }
    for (const secrets of [[other], [other, standard.secret], [standard.secret, other]]) {
      const signed = request({ headers: signStandardWebhook(secrets, message) })
      expect(standardWebhooks({ secrets: [standard.secret, other] })(signed)).toEqual({ id: 'm' })
    }
    const signed = { headers: signStandardWebhook([other], message) }
    expect(refusal(verify, signed)).toMatch(/no signature fits/)
  })

  it.each<[string, Partial<ReceivedRequest>, RegExp]>([
    ['another body', { body: bytes('{"test": 2432232315}') }, /no signature fits/],
    ['another id', { headers: { ...standard.headers, 'webhook-id': 'msg_x' } }, /no signature fits/],
    [
      'an older time',
      { headers: { ...standard.headers, 'webhook-timestamp': '1614265329' } },
      /no signature fits/,
    ],
    ['no signature', { headers: { ...standard.headers, 'webhook-signature': undefined } }, /is missing/],
    [
      'another kind of signature',
      { headers: { ...standard.headers, 'webhook-signature': 'v2,AAAA' } },
      /no signature fits/,
    ],
    [
      'a time that is none',
      { headers: { ...standard.headers, 'webhook-timestamp': 'NaN' } },
      /not in seconds/,
    ],
    ['five minutes ago and more', { atMs: standard.atMs + 301_000 }, /signed 301 s away/],
    ['five minutes ahead and more', { atMs: standard.atMs - 301_000 }, /signed 301 s away/],
    ['nothing', { headers: {} }, /"webhook-id" is missing/],
  ])('refuses %s', (_, changes, message) => {
    expect(refusal(verify, changes)).toMatch(message)
  })

  it('takes what is within its window', () => {
    for (const awayMs of [-299_000, 299_000])
      expect(verify(request({ atMs: standard.atMs + awayMs })).id).toBeDefined()
    const wide = standardWebhooks({ secrets: [standard.secret], toleranceMs: 600_000 })
    expect(wide(request({ atMs: standard.atMs + 500_000 })).id).toBeDefined()
  })
})

describe('Standard Webhooks by ed25519', () => {
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', atMs: standard.atMs, body: standard.body }
  const headers = { ...standard.headers, 'webhook-signature': asymmetric.signature }
  const verify = standardWebhooks({ secrets: [asymmetric.publicKey] })

  it('signs as the reference implementation does', () => {
    expect(signStandardWebhook([asymmetric.secret], message)).toEqual(headers)
    const seed = Buffer.from(asymmetric.secret.slice(5), 'base64')
    const both = Buffer.concat([seed, Buffer.from(asymmetric.publicKey.slice(5), 'base64')])
    expect(signStandardWebhook([`whsk_${both.toString('base64')}`], message)).toEqual(headers)
  })

  it('takes it with the public key, and not for another body, key or scheme', () => {
    expect(verify(request({ headers }))).toEqual({ id: message.id })
    expect(refusal(verify, { headers, body: bytes('{}') })).toMatch(/no signature fits/)
    const asV1 = { ...headers, 'webhook-signature': asymmetric.signature.replace('v1a', 'v1') }
    expect(refusal(verify, { headers: asV1 })).toMatch(/no signature fits/)
    expect(refusal(verify, { headers: { ...headers, 'webhook-signature': 'v1a,' } })).toMatch(/fits/)
    const other = `whsk_${Buffer.alloc(32, 7).toString('base64')}`
    expect(refusal(verify, { headers: signStandardWebhook([other], message) })).toMatch(/no signature fits/)
  })

  it('signs by a secret and a pair at once: who knows either takes it', () => {
    const signed = request({ headers: signStandardWebhook([standard.secret, asymmetric.secret], message) })
    for (const secret of [standard.secret, asymmetric.publicKey])
      expect(standardWebhooks({ secrets: [secret] })(signed)).toEqual({ id: message.id })
  })

  it('refuses the wrong half of a pair, and what is no key', () => {
    expect(() => standardWebhooks({ secrets: [asymmetric.secret] })).toThrow(/public one/)
    expect(() => signStandardWebhook([asymmetric.publicKey], message)).toThrow(/private one/)
    expect(() => standardWebhooks({ secrets: ['whpk_AAAA'] })).toThrow(/32 bytes/)
    expect(() => signStandardWebhook(['whsk_AAAA'], message)).toThrow(/32 or 64 bytes/)
  })
})

describe('GitHub', () => {
  const verify = githubSignature({ secrets: ['an older one of ours', github.secret] })
  const signed = (signature: string, body = github.body) =>
    request({
      headers: { 'x-hub-signature-256': signature, 'x-github-delivery': '72d3162e' },
      body: bytes(body),
    })

  it('takes the example of its documentation', () => {
    const { id } = verify(signed(github.signature))
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    // Of what is signed: another delivery of the same body is the same message.
    const again = signed(github.signature)
    expect(verify({ ...again, headers: { ...again.headers, 'x-github-delivery': 'other' } })).toEqual({ id })
  })

  it('refuses another body, another signature, and the old kind', () => {
    expect(refusal(verify, signed(github.signature, 'Hello, World?'))).toMatch(/no signature fits/)
    expect(refusal(verify, signed(github.signature.slice(0, -2)))).toMatch(/no signature fits/)
    expect(refusal(verify, signed(github.signature.replace('sha256', 'sha1')))).toMatch(/does not begin/)
  })
})

describe('Stripe', () => {
  const secret = 'whsec_test_secret'
  const verify = stripeSignature({ secrets: [secret] })
  const body = '{"id": "evt_1ABC", "object": "event"}'
  // Computed by OpenSSL: printf '1492774577.%s' "$body" | openssl dgst -sha256 -hmac whsec_test_secret
  const signature = 'bfe3ce41668f30c484760e32f35100eed271b71c7a7709e7b45dfe3c6c69cbd1'
  const headers = (value: string) => ({
    headers: { 'stripe-signature': value },
    body: bytes(body),
    atMs: 1_492_774_577_000,
  })

  it('takes what was signed under v1, with the id of the event', () => {
    expect(verify(request(headers(`t=1492774577,v1=${signature},v0=6ffbb59b`)))).toEqual({ id: 'evt_1ABC' })
    expect(verify(request(headers(`t=1492774577,v1=${'0'.repeat(64)},v1=${signature}`))).id).toBe('evt_1ABC')
  })

  it('refuses another scheme, another time, and none', () => {
    expect(refusal(verify, headers(`t=1492774577,v0=${signature}`))).toMatch(/no signature fits/)
    expect(refusal(verify, headers(`t=1492774578,v1=${signature}`))).toMatch(/no signature fits/)
    expect(refusal(verify, headers(`v1=${signature}`))).toMatch(/not in seconds/)
  })
})

describe('secrets', () => {
  it.each([[[]], [['']], [[undefined as unknown as string]]])(
    'refuses %j where the app is defined',
    (secrets) => {
      for (const made of [standardWebhooks, stripeSignature, githubSignature])
        expect(() => made({ secrets })).toThrow(TypeError)
    },
  )

  it.each(['not base64!', 'AAAAAAAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAAAAAAAAAA=A', '=', ''])(
    'refuses one of Standard Webhooks that is not base64: %s',
    (text) => {
      expect(() => standardWebhooks({ secrets: [`whsec_${text}`] })).toThrow(/is base64/)
    },
  )

  it('refuses one that is too short, or has a line end behind it', () => {
    const short = Buffer.alloc(15, 1).toString('base64')
    expect(() => standardWebhooks({ secrets: [short] })).toThrow(
      /has 15 bytes, and can be guessed; take one of/,
    )
    expect(() => standardWebhooks({ secrets: [Buffer.alloc(16, 1).toString('base64')] })).not.toThrow()
    for (const made of [stripeSignature, githubSignature]) {
      expect(() => made({ secrets: ['a'.repeat(16), 'a'.repeat(15)] })).toThrow(/has 15 bytes/)
      expect(() => made({ secrets: ['a'.repeat(16)] })).not.toThrow()
      expect(() => made({ secrets: [`${'a'.repeat(16)}\n`] })).toThrow(/ends with white space/)
    }
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 86_400_001])(
    'refuses a window of %d ms',
    (toleranceMs) => {
      for (const made of [standardWebhooks, stripeSignature])
        expect(() => made({ secrets: [standard.secret], toleranceMs })).toThrow(
          /^toleranceMs is .*to 86,400,000/,
        )
    },
  )

  it('refuses options that nobody knows', () => {
    const misspelt = { secrets: [standard.secret], toleranceMS: 1_000 }
    for (const made of [standardWebhooks, stripeSignature])
      expect(() => made(misspelt)).toThrow(/"toleranceMS" is no option; did you mean "toleranceMs"/)
    expect(() => githubSignature({ secrets: [standard.secret], toleranceMs: 1 } as never)).toThrow(
      /is no option/,
    )
  })
})
