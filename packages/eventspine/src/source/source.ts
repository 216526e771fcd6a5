// A way in, of any kind.
import type { CustomSource } from './custom.js'
import type { FileSource } from './file.js'
import type { HttpRoute } from './http-route.js'
import type { AnyTableSource } from './table.js'
import type { WebhookSource } from './webhook.js'

export type Source = WebhookSource | FileSource | CustomSource | AnyTableSource | HttpRoute

/** Those whose messages are translated, and kept where they cannot be. What a table says is an event already, and who asks a
 *  route is told. */
export type TranslatingSource = Exclude<Source, AnyTableSource | HttpRoute>

export const isTranslating = (source: Source): source is TranslatingSource =>
  source.transport !== 'table' && source.transport !== 'http-route'
export const isTable = (source: Source): source is AnyTableSource => source.transport === 'table'
export const isHttpRoute = (source: Source): source is HttpRoute => source.transport === 'http-route'
