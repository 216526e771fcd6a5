// Waits for long work that goes on in the workers, with a bar. Ctrl-C ends the waiting, not the work.
import { setTimeout as delay } from 'node:timers/promises'
import { CommandError, exitCodes } from './failure.js'
import type { Interruption } from './interruption.js'
import type { Session } from './project/session.js'
import { ProgressBar } from './screen/progress-bar.js'

const pollMs = 200
/** After so long without a worker that does it nobody waits for nothing. */
const workerlessMsMax = 20_000
const ownersPollMs = 1_000

export interface Following<Work> {
  readonly title: string
  /** The work now; null when it is gone. */
  readonly read: () => Promise<Work | null>
  readonly ended: (work: Work) => boolean
  readonly share: (work: Work) => number
  readonly text: (work: Work) => string
  /** Whose workers do it. */
  readonly subscriptions: readonly string[]
  /** The command that shows it later. */
  readonly later: string
}

/** Resolves with the work once it has ended. Throws when it is interrupted, or no worker runs its subscriptions. */
export async function follow<Work>(
  { operator, screen }: Session,
  interruption: Interruption,
  following: Following<Work>,
): Promise<Work> {
  const signal = interruption.claim()
  const bar = new ProgressBar(screen, following.title)
  let ownedMs = performance.now()
  let askedMs = Number.NEGATIVE_INFINITY
  try {
    for (;;) {
      const work = await following.read()
      if (work === null) throw new CommandError('NOT_FOUND', 'It is gone.', { exitCode: exitCodes.notFound })
      bar.update(following.share(work), following.text(work))
      if (following.ended(work)) return work
      if (signal.aborted) throw left(following.later)
      if (performance.now() - askedMs > ownersPollMs) {
        askedMs = performance.now()
        if (await isOwned(operator, following.subscriptions)) ownedMs = askedMs
        else if (askedMs - ownedMs > workerlessMsMax) throw workerless(following)
      }
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

// A worker of another app is of no use to it, nor one that leaves a paused subscription alone.
async function isOwned(operator: Session['operator'], names: readonly string[]): Promise<boolean> {
  const subscriptions = await operator.subscriptions()
  return subscriptions.some(({ name, owners }) => names.includes(name) && owners.length > 0)
}

const workerless = ({ subscriptions, later }: Pick<Following<unknown>, 'subscriptions' | 'later'>) =>
  new CommandError(
    'NO_WORKER',
    `No worker runs ${subscriptions.slice(0, namesMax).join(', ')}, so it stands still. Start one of that app, or resume the subscription, then: ${later}`,
    { exitCode: exitCodes.failed },
  )

const namesMax = 5
