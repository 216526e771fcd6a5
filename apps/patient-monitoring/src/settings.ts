// What a ward can be told, every default in one place, and what of it the environment may set.
import type { DeviceSettings } from './sources/devices.js'

export interface WardSettings {
  /** Of the application's own connections. Default: what `prepare` is told, else DATABASE_URL. */
  readonly databaseUrl?: string
  /** How devices come in. Default: a broker of our own, on port 4683 of this machine. */
  readonly devices?: DeviceSettings
  /** `mailto:` or `https:`, by which people of a push service find whoever sends. Default `mailto:ward@example.com`. */
  readonly pushSubject?: string
  /** Where phones may be told to send to. Default: the push services of the browsers. */
  readonly pushOrigins?: readonly string[]
  /** How long a push service may take to answer. Default 5,000. */
  readonly pushAnswerMsMax?: number
  /** How long a person has to acknowledge an alarm, before the next is told. Default 60,000. */
  readonly answerMs?: number
  /** How long a device has to take it, before another one of the person is tried beside it. Default 10,000. */
  readonly reachMs?: number
  /** A bed of which nothing was heard for so long is silent. Default 60,000. */
  readonly silentMs?: number
  /** A reading that was older when it came in is kept, charted and marked, and no alarm. Default 3,600,000, an hour. Whoever tells recordings
   *  faster than they were says how old those are. */
  readonly readingAgeMsMax?: number
  /** Of the shifts. Default `Europe/London`. */
  readonly timeZone?: string
  /** Milliseconds since 1970, against which the clocks of devices are held. Default: the machine's. */
  readonly now?: () => number
}

export const pushServices = [
  ...['https://fcm.googleapis.com', 'https://*.push.services.mozilla.com', 'https://*.push.apple.com'],
  'https://*.notify.windows.com',
]

export const settingsDefault = {
  devices: { port: 4683 },
  pushSubject: 'mailto:ward@example.com',
  pushOrigins: pushServices,
  pushAnswerMsMax: 5_000,
  answerMs: 60_000,
  reachMs: 10_000,
  silentMs: 60_000,
  readingAgeMsMax: 3_600_000,
  timeZone: 'Europe/London',
  now: Date.now,
} as const satisfies WardSettings

const durations = ['pushAnswerMsMax', 'answerMs', 'reachMs', 'silentMs', 'readingAgeMsMax'] as const

/** With every default. Throws a RangeError that says what to write instead. */
export function completed(given: WardSettings): Required<Omit<WardSettings, 'databaseUrl'>> {
  const settings = { ...settingsDefault, ...given }
  for (const name of durations) {
    const value: number = settings[name]
    if (!Number.isSafeInteger(value) || value < 0)
      throw new RangeError(`${name} is ${value}. Give whole milliseconds from 0, or leave it out.`)
  }
  return settings
}

/** Throws a RangeError that says what to write instead. */
export function settingsFrom(environment: NodeJS.ProcessEnv): WardSettings {
  const text = (name: string) => environment[name] || undefined
  const url = text('WARD_BROKER')
  const port = whole(environment, 'WARD_MQTT_PORT', 65_535)
  return defined({
    devices: url !== undefined ? { url } : port === undefined ? undefined : { port },
    pushSubject: text('WARD_PUSH_SUBJECT'),
    pushOrigins: text('WARD_PUSH_ORIGINS')?.split(','),
    answerMs: whole(environment, 'WARD_ANSWER_MS', 86_400_000),
    silentMs: whole(environment, 'WARD_SILENT_MS', 86_400_000),
    readingAgeMsMax: whole(environment, 'WARD_READING_AGE_MS', 30 * 86_400_000),
    timeZone: text('WARD_TIME_ZONE'),
  })
}

const portsDefault = { site: 4611, api: 4610 }

/** Where the pages, and the API with the console, listen on this machine; 0 takes a free one. Throws a RangeError that says what to write instead. */
export const portsFrom = (
  environment: NodeJS.ProcessEnv,
): { readonly site: number; readonly api: number } => ({
  site: whole(environment, 'WARD_SITE_PORT', 65_535) ?? portsDefault.site,
  api: whole(environment, 'WARD_API_PORT', 65_535) ?? portsDefault.api,
})

function whole(environment: NodeJS.ProcessEnv, name: string, most: number): number | undefined {
  const given = environment[name] || undefined
  if (given === undefined) return undefined
  const value = Number(given)
  if (Number.isInteger(value) && value >= 0 && value <= most) return value
  throw new RangeError(`${name} is "${given}". Give a whole number up to ${most}, or leave it out.`)
}

type Defined<Given> = { [Name in keyof Given]?: Exclude<Given[Name], undefined> }

const defined = <Given extends object>(given: Given): Defined<Given> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Defined<Given>
