// What a person wrote in the place of a dead letter's data: judged as if it were published, and sealed again.
import { type Preparation, prepare } from '../event/index.js'
import { JsonError, writeJson } from '../event/json/index.js'
import { EventspineError } from '../kernel/index.js'
import { fits, sealedPlaces } from '../personal/index.js'
import type { DeadLetter } from '../redrive/index.js'
import { messageKept } from '../source/index.js'
import type { App } from './app.js'

interface Services {
  readonly app: Pick<App, 'registry'>
  readonly preparation: Preparation
}

/** Under the version of the letter's event. Where the app has only newer ones, through its upcasters. Throws EVENT_INVALID. */
export async function editedData(
  { app, preparation }: Services,
  { event: { type, version, source, id }, tenant }: DeadLetter,
  edited: unknown,
): Promise<string> {
  const { personal } = preparation
  const sealed = serialised(edited, Number.POSITIVE_INFINITY)
  const data: unknown = personal.isSealed(sealed)
    ? JSON.parse(await personal.open({ tenant, source, id, type, version, extensions: null }, sealed))
    : edited
  const definition = app.registry.definitions.find((each) => each.type === type && each.version === version)
  // What is opened to be judged must be sealed again, every bit of it.
  const paths = Object.keys(definition?.personal?.fields ?? {})
  const bare = personal.isSealed(sealed)
    ? sealedPlaces(sealed).find((place) => !paths.some((path) => fits(path, place)))
    : undefined
  if (bare !== undefined)
    throw new EventspineError(
      'EVENT_INVALID',
      `"${bare}" is enciphered, and version ${version} of "${type}" in this app does not say that it is personal: it would be stored as plain text. List that definition in the app's events as it was.`,
      { field: '/data' },
    )
  // A message was kept as it came: larger than what events may have.
  const roomy =
    definition === messageKept ? { ...preparation, hardLimitBytes: Number.POSITIVE_INFINITY } : preparation
  if (definition !== undefined)
    return (await prepare(definition, data, { tenant, source, id }, roomy)).data ?? 'null'
  if (app.registry.find(type).personal !== undefined)
    throw new EventspineError(
      'EVENT_INVALID',
      `"${type}" has personal data, and this app does not define its version ${version}. List that definition in the app's events to edit it.`,
      { field: '/data' },
    )
  const json = serialised(data, preparation.hardLimitBytes)
  const decoded = await app.registry.decode(type, version, json)
  if (decoded.ok) return json
  throw new EventspineError('EVENT_INVALID', decoded.message, { field: '/data' })
}

/** Throws what `editedData` would, and stores nothing: no key of a person either. */
export async function checkEditedData(
  services: Services,
  letter: DeadLetter,
  edited: unknown,
): Promise<void> {
  const { personal } = services.preparation
  const judging = {
    seal: (...given: Parameters<typeof personal.judge>) => personal.judge(...given),
    judge: (...given: Parameters<typeof personal.judge>) => personal.judge(...given),
    isSealed: (body: string) => personal.isSealed(body),
    open: (...given: Parameters<typeof personal.open>) => personal.open(...given),
  }
  await editedData(
    { ...services, preparation: { ...services.preparation, personal: judging } },
    letter,
    edited,
  )
}

function serialised(data: unknown, sizeBytesMax: number): string {
  try {
    return writeJson(data, { sizeBytesMax })
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw new EventspineError('EVENT_INVALID', error.message, { field: '/data', cause: error })
  }
}
