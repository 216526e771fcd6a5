// `eventspine contracts export`: into files, for the tools of others and for people.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Call } from '../command.js'
import { CommandError } from '../failure.js'
import type { Session } from '../project/session.js'
import { green } from '../screen/text.js'
import { counted } from '../screen/time.js'

export interface ExportFlags {
  readonly asyncapi?: string
  readonly jsonSchema?: string
  readonly catalogue?: string
}

/** The operation of the command. */
export async function exportContracts(
  { operator, screen }: Session,
  { flags }: Call<ExportFlags>,
): Promise<undefined> {
  const { contracts } = operator
  const { asyncapi, jsonSchema, catalogue } = flags
  if (asyncapi === undefined && jsonSchema === undefined && catalogue === undefined)
    throw new CommandError('REQUEST_INVALID', 'Say what to write: --asyncapi, --json-schema or --catalogue.')
  if (asyncapi === '-') {
    if (jsonSchema !== undefined || catalogue !== undefined)
      throw new CommandError(
        'REQUEST_INVALID',
        'Standard output is for one document. Give --asyncapi a file.',
      )
    screen.record(await contracts.asyncApi())
    return undefined
  }
  const written: string[] = []
  const write = async (path: string, text: string) => {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
    written.push(path)
  }
  if (asyncapi !== undefined) await write(asyncapi, json(await contracts.asyncApi()))
  if (jsonSchema !== undefined)
    for (const [name, schema] of await contracts.jsonSchemas())
      await write(join(jsonSchema, name), json(schema))
  if (catalogue !== undefined)
    for (const [name, text] of await contracts.catalogue()) await write(join(catalogue, name), text)
  screen.answer({ written }, () => [
    [green('✓'), ` ${counted(written.length, 'file')} written.`],
    ...written.map((path) => `  ${path}`),
  ])
  return undefined
}

const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`
