// `importer.ts URL SCHEMA FILE`: imports it, and writes a line behind each batch, so that its test can kill it there.
import { Eventspine } from 'eventspine'
import { importApp } from './importer-app.js'

const [url = '', schema = '', path = ''] = process.argv.slice(2)
const spine = new Eventspine(importApp, { databaseUrl: url, schema, work: false, stalledMs: 0 })
await spine.start()
await spine.sources.importFile('readings', path, { progress: ({ records }) => console.log(records) })
await spine.stop()
