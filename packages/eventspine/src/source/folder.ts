// A source that is a folder: each file that comes to rest there becomes an event, which refers to the file where it lies from then on.
import { resolve } from 'node:path'
import { checkOptions, EventspineError } from '../kernel/index.js'
import { Arrivals } from './arrivals.js'
import { type CustomSource, customSource } from './custom.js'
import type { Translation } from './webhook.js'

/** A file in the archive: a claim check, for events hold no files. */
export interface ArrivedFile {
  /** Absolute. The file is there before the event is. */
  readonly path: string
  /** As it was in the folder. */
  readonly name: string
  readonly sizeBytes: number
  /** When it was written last, RFC 3339. */
  readonly modifiedAt: string
  /** Of its content, in hexadecimal digits. */
  readonly sha256: string
}

export interface FolderSourceOptions {
  /** Lower case, digits and dashes, at most 80 characters. */
  readonly name: string
  /** Must be there. Files in it are looked at, but none in folders of it, no links, and none whose name begins with a dot. */
  readonly directory: string
  /** Where files go, on the same file system; made when it is missing. They stay there until somebody removes them. Default:
   *  `processed` in the directory. */
  readonly archive?: string
  /** What a file becomes; null for one that is of no interest. It must not read the file: let a handler do that. What it throws
   *  makes the file a dead letter of `source-NAME`. */
  readonly to: (file: ArrivedFile) => Translation | Promise<Translation>
  /** Only names that it matches. */
  readonly pattern?: RegExp
  /** A file is whole when neither its size nor its time has changed for so long; the folder is looked at as often. 100 ms to an
   *  hour. Default 2,000. */
  readonly settleMs?: number
  readonly description?: string
}

const settleMsDefault = 2_000
const settleMsMin = 100
const settleMsMost = 3_600_000

const optionNames: Readonly<Record<keyof FolderSourceOptions, true>> = {
  name: true,
  directory: true,
  archive: true,
  to: true,
  pattern: true,
  settleMs: true,
  description: true,
}

/**
 * Files of a folder, run by one worker of the cell. The same file (name, content and time) is one event, also where its worker is
 * killed. List it in `defineApp({ sources: […] })`. Throws APP_INVALID.
 */
export function folderSource(options: FolderSourceOptions): CustomSource {
  checkOptions('folderSource', options, optionNames)
  const { name, directory, pattern, settleMs = settleMsDefault, to, description } = options
  const fault = (message: string) => new EventspineError('APP_INVALID', `source "${name}": ${message}.`)
  if (typeof directory !== 'string' || directory === '')
    throw fault('directory must be the path of a folder, such as "/srv/incoming"')
  if (pattern !== undefined && !(pattern instanceof RegExp))
    throw fault(`pattern must be a regular expression, such as /\\.csv$/`)
  if (!(Number.isInteger(settleMs) && settleMs >= settleMsMin && settleMs <= settleMsMost))
    throw fault(
      `settleMs is ${settleMs}; write a whole number from ${settleMsMin} to ${settleMsMost.toLocaleString('en')}`,
    )
  const folder = resolve(directory)
  const archive = resolve(folder, options.archive ?? 'processed')
  if (archive === folder) throw fault('archive is the directory itself; give it a folder of its own')
  return customSource({
    ...{ name, where: 'one-worker' },
    ...(description !== undefined && { description }),
    to: (message) => to(message.json() as ArrivedFile),
    run: (run) => new Arrivals({ folder, archive, pattern, settleMs }, run).run(),
  })
}
