// What the log tells of the apps that share it with the one that asks: who runs their subscriptions, how far these are behind and
// which letters wait. A warning at most: the doctor of that app knows what it promises.
import { counted, grouped } from './counted.js'
import type { Finding, FindingPlace, SubscriptionDiagnosis } from './doctor.js'
import { lettersWait } from './doctor-letters.js'

/** Names that a finding shows. */
const namesMax = 5

export function otherFindings(
  others: readonly SubscriptionDiagnosis[],
  lagSecondsMax: number,
): readonly Finding[] {
  const apps = [...new Set(others.map(({ app }) => app))]
  return apps.flatMap((app) => {
    const all = others.filter((each) => each.app === app)
    const active = all.filter(({ state }) => state === 'active')
    const held = active.filter(({ owners }) => owners.length > 0)
    const idle = active.filter(({ owners }) => owners.length === 0)
    const late = held.filter(({ lagSeconds }) => lagSeconds > lagSecondsMax)
    return [
      ...(idle.length === 0 ? [] : [unmanned(app, idle, held.length === 0)]),
      ...(late.length === 0 ? [] : [behind(app, late)]),
      ...lettersOf(app, all),
      shared(app, all),
    ]
  })
}

// One that runs none of its subscriptions is down, or stands still; of one that runs some, another build may have made the rest.
function unmanned(app: string, idle: readonly SubscriptionDiagnosis[], isDown: boolean): Finding {
  const [worst] = furthestFirst(idle)
  const whose = isDown ? `any of its ${counted(idle.length, 'subscription')}` : named(idle)
  return {
    ...ofApp(app, isDown ? { kind: 'workers', name: null } : placeOf(worst)),
    message: `No worker runs ${whose}${worst === undefined || worst.lagEvents === 0 ? '' : `: "${worst.name}" is ${lagOf(worst)} behind`}.`,
    advice: `Start its worker, or restart a process that stands still: eventspine worker --app (the file of "${app}"). What is gone for good: eventspine subscriptions remove ${worst?.name}${idle.length === 1 ? '' : ' …'}`,
  }
}

function behind(app: string, late: readonly SubscriptionDiagnosis[]): Finding {
  const [worst] = furthestFirst(late)
  const many = late.length === 1 ? '' : `, the furthest of ${late.length} that are late`
  return {
    ...ofApp(app, placeOf(worst)),
    message: `"${worst?.name}" is ${worst === undefined ? '' : lagOf(worst)} behind${many}.`,
    advice: `Its own doctor says why: eventspine doctor --app (the file of "${app}")`,
  }
}

function lettersOf(app: string, all: readonly SubscriptionDiagnosis[]): readonly Finding[] {
  const [live, ofReplays, halted] = [sumOf(all, liveOf), sumOf(all, (each) => each.replayDead), haltedOf(all)]
  if (live + ofReplays === 0) return []
  const [most] = [...all].sort((a, b) => liveOf(b) + b.replayDead - liveOf(a) - a.replayDead)
  const keys = halted === 0 ? '' : ` ${counted(halted, 'key is', 'keys are')} halted by them.`
  return [
    {
      ...ofApp(app, { kind: 'dead-letters', name: most?.name ?? null }),
      message: `${lettersWait(live, ofReplays)}${keys}`,
      here: 'See why, then redrive or discard them',
      advice: `eventspine dead list --subscription ${most?.name}${all.length === 1 ? '' : ' has the most of them'}`,
    },
  ]
}

// What nobody but its own processes knows.
function shared(app: string, all: readonly SubscriptionDiagnosis[]): Finding {
  return {
    ...ofApp(app, null),
    severity: 'info',
    message: `Shares this log with ${counted(all.length, 'subscription')} of its own: ${named(all)}. Judged here is what the log tells of them; not its sources, its webhooks and the versions of its workflows.`,
    advice: `Ask its own doctor: eventspine doctor --app (the file of "${app}")`,
  }
}

const ofApp = (app: string, place: FindingPlace | null) => ({
  ...{ severity: 'warning' as const, subject: `app ${app}`, place },
})

const placeOf = (each: SubscriptionDiagnosis | undefined): FindingPlace | null =>
  each === undefined ? null : { kind: 'subscription', name: each.name }

const furthestFirst = (all: readonly SubscriptionDiagnosis[]) =>
  [...all].sort((a, b) => b.lagSeconds - a.lagSeconds || b.lagEvents - a.lagEvents)

const lagOf = ({ lagSeconds, lagEvents, lagExact }: SubscriptionDiagnosis) =>
  `${grouped(Math.round(lagSeconds))} s and ${lagExact ? '' : 'about '}${counted(lagEvents, 'event')}`

function named(all: readonly SubscriptionDiagnosis[]): string {
  const names = all.slice(0, namesMax).map(({ name }) => name)
  return `${names.join(', ')}${all.length > namesMax ? ` and ${all.length - namesMax} more` : ''}`
}

const liveOf = ({ dead, discarded }: SubscriptionDiagnosis) => dead - discarded
const haltedOf = (all: readonly SubscriptionDiagnosis[]) => sumOf(all, ({ haltedKeys }) => haltedKeys)
const sumOf = (all: readonly SubscriptionDiagnosis[], of: (each: SubscriptionDiagnosis) => number) =>
  all.reduce((sum, each) => sum + of(each), 0)
