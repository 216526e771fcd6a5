// A worker of the tests that kill it: the ward by mosquitto. SIGTERM drains it.
import { Eventspine, jsonLogger } from 'eventspine'
import { Ward } from '../src/ward.js'

const { DATABASE_URL: databaseUrl = '', WARD_BROKER: url = '', WARD_PUSH_ORIGIN: push = '' } = process.env
const ward = new Ward({
  ...{ databaseUrl, devices: { url }, pushOrigins: [push] },
  // The recording is of two days, and told within seconds: nothing of it is too old, and no bed is silent.
  readingAgeMsMax: 72 * 3_600_000,
  ...{ silentMs: 3_600_000, answerMs: 3_600_000 },
})
const spine = new Eventspine(ward.app, {
  ...{ databaseUrl, prepare: ward.prepare, shutdownMs: 5_000 },
  logger: jsonLogger('info', Date.now, (line) => process.stdout.write(line)),
})
await spine.start()
process.once('SIGTERM', async () => {
  await spine.stop()
  await ward.stop()
  process.exit(0)
})
process.stdout.write('ready\n')
