// Acknowledgements on their way: kept before they are sent, and sent until the server has answered. The page and the worker do not send
// at the same time; what is sent twice all the same is one at the server.
import {
  dropAcknowledgement,
  keepAcknowledgement,
  keepAlarm,
  keptAlarms,
  type PhoneAlarm,
  waiting,
} from './store.js'

export type Sent = 'all' | 'some are left'

export const syncTag = 'acknowledgements'

const answerMsMax = 20_000

export async function acknowledge({ id, person, token }: PhoneAlarm): Promise<Sent> {
  await keepAcknowledgement({ alarm: id, person, token, saidAt: new Date().toISOString() })
  return send()
}

export const send = (): Promise<Sent> =>
  navigator.locks.request('ward-outbox', async () => {
    for (const given of await waiting()) {
      const seen = await answerTo(given).catch(() => 'later' as const)
      // The others would fare no better.
      if (seen === 'later') return 'some are left'
      if (seen !== 'refused') await note(given.alarm, seen)
      await dropAcknowledgement(given.alarm)
    }
    return 'all'
  })

interface Seen {
  readonly by: string | null
  readonly at: string | null
}

/** Refused is what will never be taken: the token is of another alarm or person. */
async function answerTo({
  alarm,
  person,
  token,
}: {
  alarm: string
  person: string
  token: string
}): Promise<Seen | 'refused' | 'later'> {
  const response = await fetch('/api/acknowledgements', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ alarm, person, token }),
    signal: AbortSignal.timeout(answerMsMax),
  })
  if (response.ok) return (await response.json()) as Seen
  return response.status === 400 || response.status === 403 ? 'refused' : 'later'
}

async function note(alarm: string, { by, at }: Seen): Promise<void> {
  const known = (await keptAlarms()).find(({ id }) => id === alarm)
  if (known !== undefined && by !== null)
    await keepAlarm({ ...known, acknowledgedBy: by, acknowledgedAt: at })
}
