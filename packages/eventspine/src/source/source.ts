// A way in, of any kind.
import type { CustomSource } from './custom.js'
import type { FileSource } from './file.js'
import type { AnyTableSource } from './table.js'
import type { WebhookSource } from './webhook.js'

export type Source = WebhookSource | FileSource | CustomSource | AnyTableSource

/** Those whose messages are translated, and kept where they cannot be. What a table says is an event already. */
export type TranslatingSource = Exclude<Source, AnyTableSource>

export const isTranslating = (source: Source): source is TranslatingSource => source.transport !== 'table'
export const isTable = (source: Source): source is AnyTableSource => source.transport === 'table'
