// An app that imports readings, and the file of its test.
import { defineApp, defineEvent } from 'eventspine'
import { fileSource } from 'eventspine/source'
import { z } from 'zod'

export const lines = 20_000

const readingTaken = defineEvent({
  type: 'devices.reading-taken',
  schema: z.object({ n: z.int(), device: z.string(), note: z.string() }),
})

/** Each thousandth has a field too many, and one of each thousand a quote that is not closed; now and then a note has two lines. */
export const rowText = (n: number) => `d${n % 7};${n};${noteOf(n)}${n % 1_000 === 999 ? ';more' : ''}`
const noteOf = (n: number) =>
  n % 50 === 0 ? `"two\nlines, ""${n}"""` : n % 1_000 === 337 ? '"open' : 'plain'
export const isBroken = (n: number) => n % 1_000 === 999 || n % 1_000 === 337

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
    fileSource({
      name: 'lines',
      format: 'ndjson',
      keptMax: 2,
      to: (value) => ({ event: readingTaken, data: { n: Number(value), device: 'd', note: '' } }),
    }),
  ],
})
