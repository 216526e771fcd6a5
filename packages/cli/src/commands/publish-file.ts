// Many events from a file: checked line by line first, then sent in batches, each all or nothing.

import { CommandError, exitCodes, failureOf } from '../failure.js'
import type { EventLine } from '../input/event-lines.js'
import { checkLine, eventLines, wrongLine } from '../input/event-lines.js'
import type { Interruption } from '../interruption.js'
import type { Session } from '../project/session.js'
import { ProgressBar } from '../screen/progress-bar.js'
import { green } from '../screen/text.js'
import { count, counted } from '../screen/time.js'

const batchEventsMax = 500

/** Publishes every event of the file. Throws naming the first wrong line, before anything is sent. */
export async function publishFile(
  session: Session,
  path: string,
  interruption: Interruption,
): Promise<undefined> {
  const { screen, spine } = session
  const total = await check(session, path)
  const signal = interruption.claim()
  const bar = new ProgressBar(screen, 'publishing')
  let published = 0
  try {
    for await (const batch of batches(eventLines(path))) {
      if (signal.aborted) throw interrupted(published)
      await spine
        .ingestMany(batch.map(({ event }) => event))
        .catch((error) => explain(error, batch, published))
      published += batch.length
      bar.update(published / total, `${count(published)} of ${count(total)}`)
    }
  } finally {
    bar.end()
  }
  screen.answer({ published }, () => [[green('✓'), ` ${counted(published, 'event')} published.`]])
  return undefined
}

async function check({ screen, spine }: Session, path: string): Promise<number> {
  const bar = new ProgressBar(screen, 'checking')
  let events = 0
  try {
    for await (const line of eventLines(path)) {
      await checkLine(spine.app, line)
      events += 1
      if (events % batchEventsMax === 0) bar.update(0, counted(events, 'line'))
    }
  } finally {
    bar.end()
  }
  return events
}

async function* batches(lines: AsyncGenerator<EventLine>): AsyncGenerator<EventLine[]> {
  let batch: EventLine[] = []
  for await (const line of lines) {
    batch.push(line)
    if (batch.length < batchEventsMax) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

// The field of the library's error begins with the index in the batch.
function explain(error: unknown, batch: readonly EventLine[], published: number): never {
  const { code, field, message } = failureOf(error)
  const index = /^\/(\d+)/.exec(field ?? '')?.[1]
  const line = index === undefined ? undefined : batch[Number(index)]?.line
  const before =
    published === 0
      ? 'Nothing was published.'
      : `What was published before it: ${counted(published, 'event')}.`
  if (line !== undefined) throw wrongLine(line, code, `${message} ${before}`)
  throw new CommandError(code, `${message} ${before}`, { exitCode: failureOf(error).exitCode, cause: error })
}

const interrupted = (published: number) =>
  new CommandError('INTERRUPTED', `Stopped after ${counted(published, 'event')}.`, {
    exitCode: exitCodes.interrupted,
  })
