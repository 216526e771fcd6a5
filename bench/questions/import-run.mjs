// `node import-run.mjs URL FILE`: imports readings, from the compiled packages, and says how far it is.
import { defineApp, defineEvent, Eventspine } from 'eventspine'
import { fileSource } from 'eventspine/source'
import { z } from 'zod'

const [databaseUrl, path] = process.argv.slice(2)
const taken = defineEvent({
  type: 'devices.reading-taken',
  schema: z.object({
    device: z.string(),
    at: z.iso.datetime(),
    pulse: z.int().min(0),
    oxygen: z.int().min(0).max(100),
    note: z.string(),
  }),
  key: ({ device }) => device,
})
const readings = fileSource({
  name: 'readings',
  format: 'csv',
  to: (row) => ({ event: taken, data: { ...row, pulse: Number(row.pulse), oxygen: Number(row.oxygen) } }),
})
const app = defineApp({ name: 'devices', events: [taken], sources: [readings] })
const spine = new Eventspine(app, { databaseUrl, work: false, stalledMs: 0 })
await spine.start()
await spine.sources.importFile('readings', path, {
  progress: ({ records }) => process.stdout.write(`${records}\n`),
})
await spine.stop()
