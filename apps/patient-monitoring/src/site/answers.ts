// What the pages ask for, each question with who may ask it. Reads come from the tables that the functions keep; changes go the way of
// every other caller: through the routes of the app.
import type { IncomingMessage } from 'node:http'
import type { Eventspine } from 'eventspine'
import { z } from 'zod'
import type { Database } from '../database.js'
import type { KeyChain } from '../keys.js'
import { deviceIdOf } from '../sources/device-routes.js'
import {
  alarms,
  board,
  charts,
  deviceStanding,
  limitsOf,
  ownAlarms,
  reports,
  scores,
  stepsOf,
  wardOf,
} from '../views.js'
import type { Guest } from './codes.js'
import { jsonOf, Refusal, refuseForeignPage } from './request.js'
import { cookieOf, refuseForged, type Session, type Sessions } from './sessions.js'

export interface Call {
  readonly request: IncomingMessage
  /** Of the path, as the pattern names them. */
  readonly places: readonly string[]
  readonly query: URLSearchParams
  readonly database: Database
  readonly keys: KeyChain
  readonly spine: Pick<Eventspine, 'sources'>
  readonly sessions: Sessions
}

export interface Answer {
  readonly status?: number
  readonly body: unknown
  readonly cookie?: string
}

interface Question<Caller> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: RegExp
  readonly answer: (call: Call, session: Caller) => Promise<Answer>
}

/** Asked by whoever has this page open. */
export const openQuestions: readonly Question<undefined>[] = [
  { method: 'POST', path: /^\/api\/session$/, answer: signIn },
  // The token that came with the alarm is the right to acknowledge it: a notification is answered where nobody is signed in any more.
  { method: 'POST', path: /^\/api\/acknowledgements$/, answer: acknowledge },
]

/** Asked by somebody who has signed in. */
export const questions: readonly Question<Session>[] = [
  { method: 'GET', path: /^\/api\/session$/, answer: async (_, session) => ({ body: session }) },
  { method: 'DELETE', path: /^\/api\/session$/, answer: signOut },
  ofWard(/^\/api\/wards\/([^/]+)\/board$/, ({ database }, ward) => board(database, ward)),
  ofWard(/^\/api\/wards\/([^/]+)\/alarms$/, ({ database }, ward) => alarms(database, { ward })),
  ofWard(/^\/api\/wards\/([^/]+)\/reports$/, ({ database }, ward) => reports(database, ward)),
  ofBed(/^\/api\/beds\/([^/]+)\/alarms$/, ({ database }, bed) => alarms(database, { bed })),
  ofBed(/^\/api\/beds\/([^/]+)\/limits$/, ({ database }, bed) => limitsOf(database, bed)),
  ofBed(/^\/api\/beds\/([^/]+)\/charts$/, ({ database, query }, bed) =>
    charts(database, { bed, ...range.parse(Object.fromEntries(query)) }),
  ),
  ofBed(/^\/api\/beds\/([^/]+)\/scores$/, ({ database, query }, bed) =>
    scores(database, { bed, ...since.parse(Object.fromEntries(query)) }),
  ),
  // The bed is the first part of the id of an alarm.
  ofBed(/^\/api\/beds\/([^/]+)\/alarms\/([^/]+)\/steps$/, ({ database, places: [, alarm = ''] }, bed) =>
    alarm.startsWith(`${bed}.`) ? stepsOf(database, alarm) : nothingThere(),
  ),
  ofCarer('GET', /^\/api\/own-alarms$/, async (call, { person }) => ({ body: await toldTo(call, person) })),
  ofCarer('GET', /^\/api\/push-key$/, async ({ keys }) => ({
    body: { publicKey: (await keys.read()).vapid.publicKey },
  })),
  ofCarer('PUT', /^\/api\/devices$/, register),
  ofCarer('GET', /^\/api\/devices\/([A-Za-z0-9_-]{22})$/, async (call, { person }) => ({
    body: { standing: await deviceStanding(call.database, call.places[0] ?? '', person) },
  })),
]

// The database knows no year 0.
const moment = z.iso.datetime().refine((at) => Date.parse(at) >= 0, 'is before 1970')
const range = z.object({ span: z.enum(['minute', 'hour']), from: moment, to: moment })
const since = z.object({ from: moment })

/** Throws a Refusal of 403 unless this is their ward. */
export function refuseOtherWard(session: Session, ward: string | undefined): void {
  if (ward !== session.ward) throw new Refusal(403, `You have signed in for ward ${session.ward} alone.`)
}

function ofWard(path: RegExp, view: (call: Call, ward: string) => Promise<unknown>): Question<Session> {
  return {
    ...{ method: 'GET', path },
    async answer(call, session) {
      const [ward = ''] = call.places
      refuseOtherWard(session, ward)
      return { body: await view(call, ward) }
    },
  }
}

function ofBed(path: RegExp, view: (call: Call, bed: string) => Promise<unknown>): Question<Session> {
  return {
    ...{ method: 'GET', path },
    async answer(call, session) {
      const [bed = ''] = call.places
      // The database could not even read some of what a path may hold.
      if (call.places.some((place) => place.includes('\0'))) return nothingThere()
      const ward = await wardOf(call.database, bed)
      if (ward === undefined) return nothingThere()
      refuseOtherWard(session, ward)
      return { body: await view(call, bed) }
    },
  }
}

function nothingThere(): never {
  throw new Refusal(404, 'There is nothing of that name.')
}

function ofCarer(
  method: Question<Session>['method'],
  path: RegExp,
  answer: Question<Session>['answer'],
): Question<Session> {
  return {
    ...{ method, path },
    async answer(call, session) {
      refuseDisplay(session)
      if (method !== 'GET') refuseForged(call.request, session)
      return answer(call, session)
    },
  }
}

/** Throws a Refusal of 403: a display on the wall has no alarms of its own. */
export function refuseDisplay({ kind }: Session): void {
  if (kind !== 'carer') throw new Refusal(403, 'This is for carers: a display has no phone.')
}

/** What a person was told of, each with the token by which they acknowledge it. */
export async function toldTo({ database, keys }: Pick<Call, 'database' | 'keys'>, person: string) {
  const told = await ownAlarms(database, person)
  return Promise.all(
    told.map(async (alarm) => ({ ...alarm, token: await keys.acknowledgementToken(alarm.id, person) })),
  )
}

const signingIn = z.strictObject({ code: z.string().min(1).max(100) })

// Another site must not sign a person in as somebody else.
async function signIn({ request, sessions }: Call): Promise<Answer> {
  refuseForeignPage(request)
  const { code } = signingIn.parse(await jsonOf(request))
  const [now, then] = await Promise.all([sessions.of(request), sessions.invited(code)])
  // A browser has one guest: whoever is to take the place of another says so, by signing them out.
  if (now !== undefined && then !== undefined && !isSameGuest(now, then))
    throw new Refusal(409, `This browser is signed in as ${named(now)}. The code is for ${named(then)}.`)
  const opened = await sessions.open(code)
  if (opened === undefined)
    throw new Refusal(401, 'This code is not known, was used already, or is too old. Ask for a new one.')
  await sessions.close(request)
  return { status: 201, body: opened.session, cookie: cookieOf(request, opened.token, opened.session.kind) }
}

const isSameGuest = (one: Guest, other: Guest) =>
  one.person === other.person && one.ward === other.ward && one.kind === other.kind

const named = ({ kind, person, ward }: Guest) =>
  kind === 'display' ? `the display ${person} of ward ${ward}` : `${person} of ward ${ward}`

const signingOut = z.strictObject({ endpoint: z.url().max(1_000).optional() })

/** The device first: whoever is told that they are out gets no alarms there. */
async function signOut({ request, sessions, spine }: Call, session: Session): Promise<Answer> {
  refuseForged(request, session)
  const { endpoint } = signingOut.parse(await jsonOf(request))
  const { person } = session
  if (endpoint !== undefined)
    await spine.sources.routes.take('remove-device', {
      ...{ params: { person, device: deviceIdOf(endpoint) }, query: {}, headers: {}, body: undefined },
      principal: { id: person, actor: `person-${person}`, tenant: undefined },
    })
  await sessions.close(request)
  return { body: { signedIn: false }, cookie: cookieOf(request) }
}

async function register({ request, spine }: Call, { person }: Session): Promise<Answer> {
  await spine.sources.routes.take('register-device', {
    ...{ params: { person }, query: {}, headers: {}, body: await jsonOf(request) },
    principal: { id: person, actor: `person-${person}`, tenant: undefined },
  })
  return { status: 202, body: { registered: true } }
}

const acknowledging = z.strictObject({
  alarm: z.string().min(1).max(200),
  person: z.string().max(40),
  token: z.string().max(100),
})
const answerMsMax = 8_000

/** Who was first is answered where it is known by then: 202 says that it is stored, and so kept. */
async function acknowledge({ request, spine }: Call): Promise<Answer> {
  refuseForeignPage(request)
  const { alarm, ...body } = acknowledging.parse(await jsonOf(request))
  const { routes } = spine.sources
  const { reply = '' } = await routes.take('acknowledge', {
    ...{ params: { alarm }, query: {}, headers: {}, body },
    principal: { id: 'anonymous', actor: 'anonymous', tenant: undefined },
  })
  const seen = await routes
    .reply('acknowledge', reply, { waitMs: answerMsMax, begins: true })
    .catch(() => undefined)
  return seen?.state === 'replied'
    ? { status: seen.status, body: seen.body }
    : { status: 202, body: { by: null, at: null } }
}
