// A worker that sends webhooks, so that its test can kill it while it does. Says "ready" when it delivers.
import { Eventspine } from 'eventspine'
import { hooksApp } from './hooks-app.js'

const { DATABASE_URL: databaseUrl = '', HOOKS_SCHEMA: schema = '' } = process.env
const { HOOKS_URL: url = '', HOOKS_SECRET: secret = '' } = process.env
const spine = new Eventspine(hooksApp(url, secret), { databaseUrl, schema, stalledMs: 0 })
await spine.start()
process.stdout.write('ready\n')
