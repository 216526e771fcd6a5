// A source that is a file: its records become events, and how far it has come is stored with them.

import { checkOptions } from '../kernel/index.js'
import type { Format } from './records.js'
import type { Translation } from './webhook.js'

/** Where a record stands. */
export interface RecordPlace {
  /** Name of the file, without its folder. */
  readonly file: string
  /** Of its first line, from 1. */
  readonly line: number
}

interface Common {
  /** Lower case, digits and dashes, at most 80 characters. */
  readonly name: string
  /** Records of one file that may be kept as dead letters; an import stops before there are more, and goes on when it is called
   *  with a larger one. 1 to 1,000,000. Default 10,000. */
  readonly keptMax?: number
  readonly description?: string
}

export type FileSourceOptions = Common &
  (
    | {
        readonly format: 'csv'
        /** One character. Default a comma. */
        readonly delimiter?: string
        /** What a record becomes; its fields are texts, by the names of the first line. */
        readonly to: (
          row: Readonly<Record<string, string>>,
          place: RecordPlace,
        ) => Translation | Promise<Translation>
      }
    | {
        readonly format: 'ndjson'
        readonly to: (value: unknown, place: RecordPlace) => Translation | Promise<Translation>
      }
  )

export interface FileSource {
  readonly kind: 'source'
  readonly transport: 'file'
  readonly name: string
  readonly format: Format
  readonly delimiter: string
  readonly keptMax: number
  readonly to: (record: never, place: RecordPlace) => Translation | Promise<Translation>
  readonly description: string | undefined
}

const keptMaxDefault = 10_000

const optionNames: Readonly<Record<keyof (FileSourceOptions & { readonly format: 'csv' }), true>> = {
  name: true,
  format: true,
  delimiter: true,
  to: true,
  keptMax: true,
  description: true,
}

/**
 * Files of records. List it in `defineApp({ sources: […] })`, and import with `eventspine import NAME FILE` or
 * `spine.sources.importFile(name, path)`. An import that was interrupted goes on where it was, without loss or repeat.
 */
export function fileSource(options: FileSourceOptions): FileSource {
  checkOptions('fileSource', options, optionNames)
  const { name, format, to, keptMax = keptMaxDefault, description } = options
  const delimiter = options.format === 'csv' ? (options.delimiter ?? ',') : ','
  return Object.freeze({
    ...{ kind: 'source' as const, transport: 'file' as const, name, format, delimiter },
    ...{ keptMax, description },
    to: to as FileSource['to'],
  })
}
