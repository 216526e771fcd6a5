// Waits for long work that goes on in the workers, with a bar. Ctrl-C ends the waiting, not the work.
import { setTimeout as delay } from 'node:timers/promises'
import { CommandError, exitCodes } from './failure.js'
import type { Interruption } from './interruption.js'
import type { Session } from './project/session.js'
import { ProgressBar } from './screen/progress-bar.js'

const pollMs = 200
/** After so long without any worker nobody waits for nothing. */
const workerlessMsMax = 20_000

export interface Following<Work> {
  readonly title: string
  /** The work now; null when it is gone. */
  readonly read: () => Promise<Work | null>
  readonly ended: (work: Work) => boolean
  readonly share: (work: Work) => number
  readonly text: (work: Work) => string
  /** The command that shows it later. */
  readonly later: string
}

/** Resolves with the work once it has ended. Throws when it is interrupted, or no worker is left to do it. */
export async function follow<Work>(
  { operator, screen }: Session,
  interruption: Interruption,
  following: Following<Work>,
): Promise<Work> {
  const signal = interruption.claim()
  const bar = new ProgressBar(screen, following.title)
  let workerSeenMs = performance.now()
  try {
    for (;;) {
      const work = await following.read()
      if (work === null) throw new CommandError('NOT_FOUND', 'It is gone.', { exitCode: exitCodes.notFound })
      bar.update(following.share(work), following.text(work))
      if (following.ended(work)) return work
      if (signal.aborted) throw left(following.later)
      if ((await operator.workers()).length > 0) workerSeenMs = performance.now()
      else if (performance.now() - workerSeenMs > workerlessMsMax) throw workerless(following.later)
      await delay(pollMs, undefined, { signal }).catch(() => {})
    }
  } finally {
    bar.end()
  }
}

const left = (later: string) =>
  new CommandError('INTERRUPTED', `It goes on without this command. See it with: ${later}`, {
    exitCode: exitCodes.interrupted,
  })

const workerless = (later: string) =>
  new CommandError(
    'NO_WORKER',
    `No worker is running any more, so it stands still. Start one, then: ${later}`,
    {
      exitCode: exitCodes.failed,
    },
  )
