// An app that imports readings, and the file of its test.
import { defineApp, defineEvent } from 'eventspine'
import { fileSource } from 'eventspine/source'
import { z } from 'zod'

export const lines = 20_000

const readingTaken = defineEvent({
  type: 'devices.reading-taken',
  schema: z.object({ n: z.int(), device: z.string(), note: z.string() }),
})

/** Each thousandth has a field too many; now and then a note has two lines. */
export const rowText = (n: number) =>
  `d${n % 7};${n};${n % 50 === 0 ? `"two\nlines, ""${n}"""` : 'plain'}${n % 1_000 === 999 ? ';more' : ''}`

export const importApp = defineApp({
  name: 'devices',
  events: [readingTaken],
  sources: [
    fileSource({
      name: 'readings',
      format: 'csv',
      delimiter: ';',
      to: ({ device = '', value, note = '' }) => ({
        event: readingTaken,
        data: { n: Number(value), device, note },
      }),
    }),
    fileSource({
      name: 'numbered',
      format: 'csv',
      delimiter: ';',
      to: ({ id = '', n }) => ({
        event: readingTaken,
        data: { n: Number(n), device: 'd', note: '' },
        options: { id },
      }),
    }),
  ],
})
