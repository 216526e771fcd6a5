// A worker of the test that kills it: brings in the objects of a bucket, and imports the records of each.
import { S3Client } from '@aws-sdk/client-s3'
import {
  defineApp,
  defineEvent,
  defineSubscription,
  Eventspine,
  jsonLogger,
  TransientError,
} from 'eventspine'
import { fileSource } from 'eventspine/source'
import { z } from 'zod'
import { bucketSource, objectFile } from '../src/index.js'

const variable = (name: string) => process.env[name] ?? ''
const client = new S3Client({
  ...{ region: 'us-east-1', endpoint: variable('S3_ENDPOINT'), forcePathStyle: true },
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
})
const arrived = defineEvent({
  type: 'uploads.arrived',
  schema: z.object({ bucket: z.string(), key: z.string(), etag: z.string(), sizeBytes: z.int() }),
})
const measured = defineEvent({ type: 'wards.measured', schema: z.object({ n: z.int(), note: z.string() }) })

const uploads = bucketSource({
  ...{ name: 'uploads', bucket: variable('S3_BUCKET'), client, lookMs: 100 },
  to: ({ bucket, key, etag, sizeBytes }) => ({ event: arrived, data: { bucket, key, etag, sizeBytes } }),
})
const csv = fileSource({
  name: 'csv',
  format: 'csv',
  to: ({ n, note = '' }) => ({ event: measured, data: { n: Number(n), note } }),
})
const ndjson = fileSource({
  name: 'ndjson',
  format: 'ndjson',
  to: (value) => ({ event: measured, data: value }),
})

const importing = defineSubscription({
  ...{ name: 'import-records', on: arrived, concurrency: 1 },
  async handle({ data }, { signal }) {
    const format = data.key.endsWith('.csv') ? 'csv' : 'ndjson'
    const { state } = await spine.sources.importFile(format, objectFile(client, data, { signal }), {
      ...{ signal, progress: ({ file, records }) => process.stdout.write(`${file}: ${records}\n`) },
    })
    if (state !== 'completed') throw new TransientError('There is more of it')
  },
})

const spine = new Eventspine(
  defineApp({
    ...{ name: 'archive', events: [measured], sources: [uploads, csv, ndjson], subscriptions: [importing] },
  }),
  {
    ...{ databaseUrl: variable('DATABASE_URL'), schema: variable('KILL_SCHEMA'), shutdownMs: 5_000 },
    logger: jsonLogger('warn', Date.now, (line) => process.stdout.write(line)),
  },
)
await spine.start()
process.once('SIGTERM', async () => {
  await spine.stop()
  client.destroy()
  process.stdout.write('stopped\n')
})
process.stdout.write('ready\n')
