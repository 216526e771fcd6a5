// A way in, of either kind.
import type { FileSource } from './file.js'
import type { WebhookSource } from './webhook.js'

export type Source = WebhookSource | FileSource
