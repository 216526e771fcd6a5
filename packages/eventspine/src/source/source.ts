// A way in, of any kind.
import type { CustomSource } from './custom.js'
import type { FileSource } from './file.js'
import type { WebhookSource } from './webhook.js'

export type Source = WebhookSource | FileSource | CustomSource
