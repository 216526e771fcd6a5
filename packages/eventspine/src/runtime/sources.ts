// What comes in by the sources of an app: verified, translated, stored. What cannot be translated is kept.
import type { Event } from '../event/event.js'
import { JsonError } from '../event/json/index.js'
import type { HandlerContext } from '../handle/index.js'
import { EventspineError, type Random } from '../kernel/index.js'
import type { Metrics } from '../observe/metrics.js'
import {
  bodyBytesMax,
  type CustomSource,
  FileImport,
  type ImportableFile,
  type ImportStanding,
  isTranslating,
  type KeptMessage,
  messageOf,
  messageOfKept,
  type Receipt,
  type ReceivedRequest,
  refusalOf,
  type Source,
  type SourceLedger,
  shownHeaders,
  type TranslatingSource,
  translatedOf,
  type Verified,
  valueOfKept,
  type WebhookSource,
  within,
} from '../source/index.js'
import type { App } from './app.js'
import type { Cell } from './cell.js'
import { HttpRoutes } from './http-routes.js'
import { isDead, ownIdentity } from './identity.js'
import { InHand } from './in-hand.js'
import { Intake, type IntakeServices, storableId } from './intake.js'
import type { Publication } from './publication.js'
import { SourceLeaseKeeper } from './source-lease-keeper.js'
import { SourceRunner } from './source-runner.js'
import { TableSources } from './table-sources.js'

export interface ImportOptions {
  readonly cell?: string
  readonly signal?: AbortSignal
  /** Told behind each batch. */
  readonly progress?: (standing: ImportStanding) => void
}

export interface SourcesServices extends IntakeServices {
  readonly app: Pick<App, 'name' | 'sources'>
  readonly random: Random
  readonly metrics: Metrics
  readonly shutdownMs: number
  /** The cell of this name, or the first. */
  cell(name?: string): Cell
  /** Names of all. */
  cells(): readonly string[]
  /** Name of the cell where a tenant lives. */
  placement(tenant: string): string
}

const unknownSource = () =>
  new EventspineError('NOT_FOUND', 'There is no such source. Check the address.', { field: '/source' })

/** Handlers have their own time to end, behind it. */
const endMsMost = 5_000
export class Sources {
  readonly #services: SourcesServices
  readonly #intake: Intake
  readonly #inHand = new InHand()
  /** Tables of the app's own whose changes are events. */
  readonly tables: TableSources
  /** Routes of the app's own HTTP interface. */
  readonly routes: HttpRoutes
  #runners: readonly SourceRunner[] = []

  constructor(services: SourcesServices) {
    this.#services = services
    this.#intake = new Intake(services)
    this.tables = new TableSources(services)
    this.routes = new HttpRoutes({ ...services, inHand: this.#inHand })
  }

  /** Runs those that bring messages in by themselves, in the cell where what they keep lives. */
  start(): void {
    const custom = this.#custom()
    if (this.#runners.length > 0 || custom.length === 0) return
    const cell = this.#services.cell(this.#home())
    this.#runners = custom.map((source) => this.#runnerOf(source, cell))
    for (const runner of this.#runners) runner.start()
  }

  /** Resolves when what they took is stored, within 5 s. */
  async stop(): Promise<void> {
    await Promise.all(this.#runners.map((runner) => runner.stop()))
  }

  /** Names of those that workers run in this cell. */
  runIn(cell: string): readonly string[] {
    return this.#custom().length > 0 && cell === this.#home() ? this.#custom().map(({ name }) => name) : []
  }

  #custom(): readonly CustomSource[] {
    return this.#services.app.sources.filter((source) => source.transport === 'custom')
  }

  #home(): string {
    return this.#services.placement(this.#services.preparation.tenant)
  }

  #runnerOf(source: CustomSource, cell: Cell): SourceRunner {
    const { clock, random, logger, metrics, shutdownMs } = this.#services
    const { name } = source
    const lease = new SourceLeaseKeeper({
      ...{
        port: cell.store,
        clock,
        source: name,
        worker: cell.worker?.id ?? '',
        identity: ownIdentity(),
        isDead,
      },
      exclusive: source.where === 'one-worker',
      failed: (error) =>
        logger.warn('the lease of a source was not renewed; trying again', { source: name, error }),
    })
    const ledger: SourceLedger = {
      read: (range) => cell.store.sourceItems(name, range),
      note: (taken, gone) => cell.store.noteSourceItems(name, taken, gone),
    }
    const endMsMax = Math.min(shutdownMs, endMsMost)
    return new SourceRunner(source, {
      ...{ clock, random, logger, metrics, intake: this.#intake, lease, ledger, endMsMax },
    })
  }

  /** Those of the app. */
  list(): readonly Source[] {
    return this.#services.app.sources
  }

  /** One was refused before it could be given here: it is too large, or was cut off. Its sender may not come again. */
  refused(name: string, reason: string): void {
    const { metrics, logger } = this.#services
    const source = this.#webhook(name).name
    metrics.received(source, 'refused')
    logger.warn('a message of a source was refused', { source, reason })
  }

  /**
   * Takes a message. When it answers, the message is stored for good, as events or as a dead letter. Throws SIGNATURE_INVALID,
   * NOT_FOUND, EVENT_TOO_LARGE for a body over 256 KiB, OVERLOADED where the source has enough to do, and UNAVAILABLE.
   */
  async receive(name: string, { headers, body }: Omit<ReceivedRequest, 'atMs'>): Promise<Receipt> {
    const source = this.#webhook(name)
    const { clock, metrics } = this.#services
    let leave = () => {}
    try {
      leave = this.#inHand.enter(source)
      const receipt = await this.#take(source, { headers, body, atMs: clock.now() })
      metrics.received(name, receipt.outcome)
      return receipt
    } catch (error) {
      metrics.received(name, refusalOf(error))
      throw error
    } finally {
      leave()
    }
  }

  async #take(source: WebhookSource, request: ReceivedRequest): Promise<Receipt> {
    if (request.body.length > bodyBytesMax)
      throw new EventspineError('EVENT_TOO_LARGE', `A message may have ${bodyBytesMax / 1024} KiB.`)
    const { id } = await verified(source, request)
    const headers = shownHeaders(request.headers, source.headers)
    const message = messageOf(storableId(id), headers, request.body, new Date(request.atMs))
    return await this.#intake.take(source, message)
  }

  /** Tries a kept message again, as the handler of its source's subscription. */
  async retranslate(name: string, event: Event, { deliveryId, replay }: HandlerContext): Promise<void> {
    // What a replay publishes was published before.
    if (replay !== undefined) return
    try {
      await this.#again(this.#translating(name), event.data as KeptMessage, deliveryId)
    } catch (error) {
      // Of what is wrong with the message the dead letter shows no insides of the engine.
      if (error instanceof EventspineError || error instanceof JsonError || error instanceof SyntaxError)
        delete error.stack
      throw error
    }
  }

  async #again(source: TranslatingSource, kept: KeptMessage, deliveryId: string): Promise<void> {
    if (source.transport !== 'file')
      return void (await this.#intake.publish(source, messageOfKept(kept, deliveryId)))
    const place = { file: kept.headers.file ?? '', line: Number(kept.headers.line) }
    const asked = Promise.resolve(source.to(valueOfKept(source, kept) as never, place))
    const answer = await within(this.#services.clock, asked)
    const all = translatedOf(source.name, kept.id ?? deliveryId, answer)
    if (all.length > 0) await this.#services.publishMany(all as readonly Publication[])
  }

  /**
   * Imports a file of records by a `fileSource`. The same file goes on where it was, also after the process was killed, and
   * is imported once: for one that is through, how it stands is all that is answered. Throws NOT_FOUND for an unknown
   * source, REQUEST_INVALID where none of the first records becomes an event, OVERLOADED where somebody else imports it.
   * @param file its path, or what reads it where it lies elsewhere, such as `objectFile` of `@eventspine/s3`
   * @param options.signal stops it between two batches; it goes on at the next call
   * @param options.cell where its events live. Default: the first
   */
  async importFile(
    name: string,
    file: string | ImportableFile,
    options: ImportOptions = {},
  ): Promise<ImportStanding> {
    const source = this.#find(name)
    if (source.transport !== 'file')
      throw new EventspineError('REQUEST_INVALID', `The source "${name}" takes no files.`, {
        field: '/source',
      })
    const { preparation, metrics, placement } = this.#services
    const cell = this.#services.cell(options.cell)
    return await FileImport.run({
      ...{ source, file, port: cell.store, preparation, signal: options.signal },
      check: ({ tenant }) => {
        if (placement(tenant) !== cell.name)
          throw new EventspineError(
            'CELL_UNKNOWN',
            `Tenant "${tenant}" lives in another cell than "${cell.name}".`,
          )
      },
      checkIn: (event) => cell.appender.checkIn(event),
      appended: (events) => {
        for (const { type } of events) metrics.published(type)
        cell.appended(events.length)
      },
      progress: options.progress ?? (() => {}),
    })
  }

  /** Files that were imported or are being, newest first, at most 100. */
  imports(cell?: string): Promise<readonly ImportStanding[]> {
    return this.#services.cell(cell).store.imports()
  }

  // To whoever asks from outside it names none.
  #webhook(name: string): WebhookSource {
    const source = this.#services.app.sources.find((each) => each.name === name)
    if (source?.transport === 'http') return source
    throw unknownSource()
  }

  #translating(name: string): TranslatingSource {
    const source = this.#find(name)
    if (isTranslating(source)) return source
    throw new EventspineError('NOT_FOUND', `The source "${name}" keeps no messages.`, { field: '/source' })
  }

  #find(name: string): Source {
    const source = this.#services.app.sources.find((each) => each.name === name)
    if (source !== undefined) return source
    const known = this.#services.app.sources.map((each) => each.name).join(', ')
    throw new EventspineError('NOT_FOUND', `There is no source "${name}". Known: ${known || 'none'}.`, {
      field: '/source',
    })
  }
}

/** Whatever a verifier of the user's answers or throws: only one that says so took the message. */
async function verified(source: WebhookSource, request: ReceivedRequest): Promise<Verified> {
  try {
    const answer: unknown = await source.verify(request)
    if (typeof answer === 'object' && answer !== null && 'id' in answer) return answer as Verified
  } catch (error) {
    if (error instanceof EventspineError) throw error
    throw new EventspineError(
      'SIGNATURE_INVALID',
      'This message was not taken by the verifier of its source.',
      {
        cause: error,
      },
    )
  }
  throw new EventspineError(
    'SIGNATURE_INVALID',
    'The verifier of this source does not say who sent the message.',
  )
}
