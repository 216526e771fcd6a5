// How long does a file of a million records take that becomes a million events, when the importer is killed twice on the
// way? Target: less than 60 s, from the first start to the end of the last one, and every record exactly once.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { alternate, atMost, medianOf, type Question, type Sample } from '../core/answer.js'
import type { Lab } from '../core/lab.js'
import { monotonicMs } from '../core/payload.js'
import { wholePart } from '../core/run.js'
import { tied } from '../core/tied.js'

const question = 'import'
const kills = 2
const program = fileURLToPath(new URL('./import-run.mjs', import.meta.url))
const units = { took: 's', imported: 'events/s' }

export const importing: Question = {
  name: question,
  title: 'A CSV of a million records, the importer killed twice on the way',
  async measure(lab) {
    const path = join(lab.directory, 'readings.csv')
    const records = lab.options.scale.backlogEvents
    await write(path, records)
    const figures = await alternate(lab, question, units, [
      { system: 'eventspine', run: () => imported(lab, path, records) },
    ])
    return {
      figures,
      verdicts: [
        atMost(question, '< 60 s for 1,000,000 records', medianOf(figures, 'eventspine', 'took'), 60),
      ],
      settings: { records, kills },
    }
  },
}

async function write(path: string, records: number): Promise<void> {
  const file = createWriteStream(path)
  file.write('device,at,pulse,oxygen,note\n')
  for (let n = 0; n < records; n++) {
    const line = `device-${n % 500},2026-11-29T12:00:00Z,${50 + (n % 90)},${90 + (n % 10)},"reading ${n}, by the hour"\n`
    if (!file.write(line)) await once(file, 'drain')
  }
  file.end()
  await finished(file)
}

async function imported(lab: Lab, path: string, records: number): Promise<Sample> {
  const part = { ...wholePart, works: false }
  return lab.run('eventspine', part, async (run) => {
    const beganAtMs = monotonicMs()
    for (let started = 1; started <= kills + 1; started++) {
      const killBehind = started <= kills ? (records * started) / (kills + 1) : Number.POSITIVE_INFINITY
      await importer(run.place.databaseUrl, path, killBehind)
    }
    const took = (monotonicMs() - beganAtMs) / 1_000
    const [ledger] = await run.sql<{ events: number; numbers: number }>(
      `SELECT count(*)::float8 AS events, count(DISTINCT id)::float8 AS numbers FROM eventspine.event WHERE type = 'devices.reading-taken'`,
    )
    if (ledger?.events !== records || ledger.numbers !== records)
      throw new Error(`the ledger is not exact: ${JSON.stringify(ledger)} of ${records} records`)
    return { took, imported: records / took }
  })
}

/** Kills it behind so many records, with whatever is on its way. */
async function importer(url: string, path: string, killBehind: number): Promise<void> {
  const child = tied(spawn(process.execPath, [program, url, path], { stdio: ['ignore', 'pipe', 'inherit'] }))
  let killed = false
  child.stdout.on('data', (chunk: Buffer) => {
    const records = Number(String(chunk).trim().split('\n').at(-1))
    if (records < killBehind || killed) return
    killed = true
    child.kill('SIGKILL')
  })
  const [code] = await once(child, 'exit')
  if (!killed && code !== 0) throw new Error(`the importer ended with ${code}`)
}
