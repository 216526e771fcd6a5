// Imports a file: its records become events, batch by batch, and how far it has come is stored with each batch. Whoever kills it
// loses nothing, and who begins again repeats nothing.

import { createHash } from 'node:crypto'
import { type NewEvent, type Preparation, prepare } from '../event/index.js'
import { parseJson } from '../event/json/index.js'
import { EventspineError } from '../kernel/index.js'
import type { FileSource } from './file.js'
import type { ImportableFile } from './importable-file.js'
import { messageKept } from './kept.js'
import { bodyOf, type KeptMessage, textOf, translatedOf } from './message.js'
import { type Header, OpenedFile } from './opened-file.js'
import type { ImportPort, ImportStanding } from './port.js'
import { type FileRecord, otherDelimiter, RecordError, rowOf } from './records.js'
import { isPassing, within } from './translating.js'

/** Of one transaction, whichever comes first; a record goes whole. */
const batchRecordsMax = 2_000
const batchEventsMax = 4_000
const batchBytesMax = 1024 * 1024
/** Where not one of so many first records becomes an event, it is not the file that is wrong. They are one batch. */
const hopelessRecords = 1_000
const firstBytesMax = 16 * 1024 * 1024
const jsonBytesMax = 1024 * 1024
const clash = new RecordError('its id belongs to another event already')

export interface FileImportServices {
  readonly source: FileSource
  /** Its path, or what reads it. */
  readonly file: string | ImportableFile
  readonly port: ImportPort
  readonly preparation: Preparation
  readonly signal: AbortSignal | undefined
  /** Refuses an event that belongs elsewhere. */
  check(event: NewEvent): void
  /** Sends a large body to the object store before its event is recorded. */
  checkIn(event: NewEvent): Promise<NewEvent>
  /** So many are in the log. */
  appended(events: readonly NewEvent[]): void
  progress(standing: ImportStanding): void
}

/** A record with the events that it became; none of them where it is kept. */
interface Translated {
  readonly record: FileRecord
  readonly events: readonly NewEvent[]
  readonly kept: NewEvent | undefined
}

export class FileImport {
  readonly #services: FileImportServices
  readonly #file: OpenedFile
  readonly #header: Header
  #standing: ImportStanding
  #firstFault: unknown
  /** All records are read. */
  #atEnd = false

  private constructor(
    services: FileImportServices,
    file: OpenedFile,
    header: Header,
    standing: ImportStanding,
  ) {
    this.#services = services
    this.#file = file
    this.#header = header
    this.#standing = standing
  }

  /** Goes on from where it stands to the end of the file, or until the signal aborts. Answers how it stands then. */
  static async run(services: FileImportServices): Promise<ImportStanding> {
    const { source, port } = services
    const file = await OpenedFile.open(services.file, source)
    try {
      const header = await file.header()
      const id = `${source.name}:${await file.hash()}`
      const { name, sizeBytes } = file
      const standing = await port.openImport({ id, source: source.name, file: name, sizeBytes })
      if (standing.state === 'completed') return standing
      return await new FileImport(services, file, header, standing).#run()
    } finally {
      await file.close()
    }
  }

  async #run(): Promise<ImportStanding> {
    let advancing: Promise<void> = Promise.resolve()
    try {
      for await (const batch of this.#batches()) {
        // The next one is translated while this one is stored.
        await advancing
        if (this.#services.signal?.aborted) return this.#standing
        advancing = this.#advance(batch, batch.at(-1)?.record.endBytes ?? 0, false)
        // Awaited before the next one is sent; what it rejects meanwhile is nobody's unhandled rejection.
        advancing.catch(() => {})
      }
    } finally {
      // Who begins again behind a reading that failed would be overtaken by a batch of this one that is still being stored.
      await advancing.catch(() => {})
    }
    await advancing
    if (!this.#services.signal?.aborted) await this.#advance([], this.#file.sizeBytes, true)
    return this.#standing
  }

  async *#batches(): AsyncGenerator<Translated[]> {
    let batch: Translated[] = []
    let [events, bytes] = [0, 0]
    let first = this.#standing.records === 0
    const { offsetBytes, lines } = this.#standing
    const from = {
      endBytes: Math.max(offsetBytes, this.#header.endBytes),
      lines: Math.max(lines, this.#header.lines),
    }
    for await (const record of this.#file.records(from)) {
      if (this.#services.signal?.aborted) return
      const one = await this.#translate(record)
      batch.push(one)
      events += one.events.length
      bytes += record.bytes.length
      const mayEnd = !first || batch.length >= hopelessRecords || bytes >= firstBytesMax || events > 0
      const isFull = batch.length >= batchRecordsMax || events >= batchEventsMax || bytes >= batchBytesMax
      if (!isFull || !mayEnd) continue
      yield batch
      batch = []
      events = bytes = 0
      first = false
    }
    this.#atEnd = true
    if (batch.length > 0) yield batch
  }

  async #advance(batch: readonly Translated[], offsetBytes: number, completed: boolean): Promise<void> {
    const { port, appended, progress } = this.#services
    this.#checkHope(batch)
    await this.#file.checkUnchanged()
    const before = this.#standing
    let kept = await this.#once(batch)
    for (;;) {
      this.#checkKept(kept)
      const all = kept.flatMap((one) => (one.kept === undefined ? one.events : [one.kept]))
      const keptCount = kept.filter((one) => one.kept !== undefined).length
      const next = {
        ...{ offsetBytes, completed, lines: batch.at(-1)?.record.endLine ?? before.lines },
        records: before.records + batch.length,
        published: before.published + all.length - keptCount,
        known: before.known + repeated(batch, kept),
        kept: before.kept + keptCount,
      }
      const outcomes = await port.advanceImport(before.id, before.offsetBytes, next, all)
      if (outcomes === null) throw this.#overtaken()
      if (outcomes.includes('conflict')) {
        const lost = new Set(all.filter((_, at) => outcomes[at] === 'conflict'))
        kept = await Promise.all(
          kept.map((one) =>
            one.events.some((each) => lost.has(each)) ? this.#kept(one.record, clash) : one,
          ),
        )
        continue
      }
      const state = completed ? ('completed' as const) : ('running' as const)
      const endedAtMs = completed ? this.#services.preparation.clock.now() : null
      const duplicates = outcomes.filter((outcome) => outcome === 'duplicate').length
      const [published, known] = [next.published - duplicates, next.known + duplicates]
      this.#standing = { ...before, ...next, ...{ published, known, state, endedAtMs } }
      appended(all.filter((_, at) => outcomes[at] === 'stored'))
      return progress(this.#standing)
    }
  }

  // Of ids that the source gives: a repeat within the batch is left out, and what says otherwise under one is kept.
  async #once(batch: readonly Translated[]): Promise<readonly Translated[]> {
    const seen = new Map<string, string>()
    const result: Translated[] = []
    for (const one of batch) {
      const fresh: NewEvent[] = []
      let clashes = false
      for (const event of one.events) {
        const { tenant, source, id, fingerprint } = event
        const identity = JSON.stringify([tenant, source, id])
        const known = fingerprint === null ? undefined : seen.get(identity)
        if (known === undefined) fresh.push(event)
        else clashes ||= known !== fingerprint
        if (fingerprint !== null && known === undefined) seen.set(identity, fingerprint)
      }
      if (clashes) result.push(await this.#kept(one.record, clash))
      else result.push(fresh.length === one.events.length ? one : { ...one, events: fresh })
    }
    return result
  }

  #checkHope(batch: readonly Translated[]): void {
    const isFirst = this.#standing.records === 0
    const isWhole = this.#atEnd
    const isTelling = isFirst && batch.length > 0 && (isWhole || batch.length >= hopelessRecords)
    if (!isTelling || batch.some(({ kept }) => kept === undefined)) return
    throw new EventspineError(
      'REQUEST_INVALID',
      `Not one of ${isWhole ? 'the' : 'the first'} ${batch.length} records of ${this.#file.name} becomes an event: ${this.#why()}. Nothing was stored.${this.#delimiterHint()} Mend the source, or give it another file.`,
      { cause: this.#firstFault },
    )
  }

  #delimiterHint(): string {
    const { name, format, delimiter } = this.#services.source
    const other = format === 'csv' ? otherDelimiter(this.#header.names) : undefined
    if (other === undefined) return ''
    return ` Its first line names one field by the delimiter ${JSON.stringify(delimiter)}, and several by ${JSON.stringify(other)}: write delimiter: ${JSON.stringify(other)} in the source "${name}".`
  }

  // Nobody mends so many by hand, and the log is no place for a file that does not fit its source.
  #checkKept(batch: readonly Translated[]): void {
    const { source } = this.#services
    const { kept, lines } = this.#standing
    if (kept + batch.filter((one) => one.kept !== undefined).length <= source.keptMax) return
    throw new EventspineError(
      'REQUEST_INVALID',
      `More than ${source.keptMax.toLocaleString('en')} records of ${this.#file.name} cannot become events, such as one of which is said: ${this.#why()}. ${lines === 0 ? 'Nothing was stored' : `What stands up to line ${lines} is stored`}. Mend the source and import the same file again: it goes on there. Where so many are to be expected, give the source a larger keptMax.`,
      { cause: this.#firstFault },
    )
  }

  #why(): string {
    return this.#firstFault instanceof Error ? this.#firstFault.message : String(this.#firstFault)
  }

  #overtaken(): EventspineError {
    return new EventspineError(
      'OVERLOADED',
      `Somebody else imports ${this.#file.name} at this moment, and is ahead. Wait for the end of that, or stop it.`,
    )
  }

  async #translate(record: FileRecord): Promise<Translated> {
    try {
      return { record, events: await this.#eventsOf(record), kept: undefined }
    } catch (error) {
      // Nothing is wrong with the record then: the import ends, and goes on here.
      if (isPassing(error)) throw error
      return await this.#kept(record, error)
    }
  }

  #idOf({ line }: FileRecord): string {
    return `${this.#standing.id.slice(-16)}:${line}`
  }

  async #eventsOf(record: FileRecord): Promise<NewEvent[]> {
    const { source, preparation, check, checkIn } = this.#services
    if (record.fault !== undefined) throw new RecordError(record.fault)
    const text = textOf(record.bytes)
    if (text === undefined) throw new RecordError('it is not in UTF-8')
    const value = valueOf(source, text, this.#header.names)
    const place = { file: this.#file.name, line: record.line }
    const asked = source.to(value as never, place)
    const answer = asked instanceof Promise ? await within(preparation.clock, asked) : asked
    const own = this.#idOf(record)
    const made: NewEvent[] = []
    for (const { event, data, options } of translatedOf(source.name, own, answer)) {
      const prepared = await prepare(event, data, options ?? {}, preparation)
      check(prepared)
      const checkedIn = await checkIn(prepared)
      // Under an id of the import's own nobody else publishes, and the place in the file keeps it from coming twice.
      made.push(checkedIn.id.startsWith(own) ? { ...checkedIn, fingerprint: null } : checkedIn)
    }
    return made
  }

  async #kept(record: FileRecord, why: unknown): Promise<Translated> {
    const { source, preparation, checkIn } = this.#services
    this.#firstFault ??= why
    const data: KeptMessage = {
      ...{ source: source.name, id: this.#idOf(record) },
      receivedAt: new Date(preparation.clock.now()).toISOString(),
      headers: {
        ...{ file: this.#file.name, line: String(record.line) },
        ...(source.format === 'csv' && { fields: JSON.stringify(this.#header.names) }),
        ...(record.fault !== undefined && { fault: record.fault, sha256: sha256(record.bytes) }),
      },
      ...bodyOf(record.bytes),
    }
    const options = { source: `/eventspine/sources/${source.name}` }
    const roomy = { ...preparation, hardLimitBytes: Number.POSITIVE_INFINITY }
    return { record, events: [], kept: await checkIn(await prepare(messageKept, data, options, roomy)) }
  }
}

/** Events of a batch that were left out of it, since it has them already. */
const repeated = (batch: readonly Translated[], left: readonly Translated[]) =>
  left.reduce((sum, { events, kept }, at) => {
    const given = batch[at]?.events.length ?? 0
    return kept === undefined ? sum + given - events.length : sum
  }, 0)

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** A record as `to` sees it. Throws what is wrong with it. */
function valueOf(source: FileSource, text: string, names: readonly string[]): unknown {
  if (source.format === 'csv') return rowOf(text, names, source.delimiter)
  return parseJson(text, { sizeBytesMax: jsonBytesMax })
}

/** The same of one that was kept, and maybe mended. */
export function valueOfKept(source: FileSource, { body, encoding, headers }: KeptMessage): unknown {
  const names = JSON.parse(headers.fields ?? '[]') as string[]
  const bytes = Buffer.from(body, encoding)
  // Until a person mends it: a line that was cut off may look like a record.
  if (headers.fault !== undefined && headers.sha256 === sha256(bytes)) throw new RecordError(headers.fault)
  const text = textOf(bytes)
  if (text === undefined) throw new RecordError('it is not in UTF-8')
  return valueOf(source, text, names)
}
