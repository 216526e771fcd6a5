// An app with a folder as its source, and what else a test gives it.
import { defineApp, defineEvent, type Subscription } from 'eventspine'
import { type FolderSourceOptions, folderSource, type Source } from 'eventspine/source'
import { z } from 'zod'

export const arrived = defineEvent({
  type: 'reports.arrived',
  schema: z.object({ path: z.string(), name: z.string(), sizeBytes: z.int(), sha256: z.string() }),
})

export const folderApp = (
  directory: string,
  options: Partial<FolderSourceOptions> = {},
  more: readonly (Subscription | Source)[] = [],
) =>
  defineApp({
    name: 'reports',
    events: [arrived],
    subscriptions: more.filter((each) => each.kind === 'subscription'),
    sources: [
      ...more.filter((each) => each.kind === 'source'),
      folderSource({
        ...{ name: 'incoming', directory, settleMs: 100 },
        to: ({ path, name, sizeBytes, sha256 }) => ({
          event: arrived,
          data: { path, name, sizeBytes, sha256 },
        }),
        ...options,
      }),
    ],
  })
