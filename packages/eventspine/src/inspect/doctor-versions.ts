// What is wrong while versions change: instances that nobody runs on, and events that nobody can read yet.
import { counted } from './counted.js'
import type { DoctorInput, Finding } from './doctor.js'
import type { NewerEvents, OpenVersion, SubscriptionView } from './port.js'

export function versionFindings(
  { workflow, version, instances }: OpenVersion,
  { workflows }: DoctorInput['app'],
): Finding[] {
  if (workflows.some((each) => each.name === workflow && each.version === version)) return []
  return [
    {
      severity: 'warning',
      subject: `workflow ${workflow}`,
      message: `${counted(instances, 'instance runs', 'instances run')} on version ${version}, which this app does not list: where no other app lists it they stand still.`,
      advice: `List version ${version} in the app until they have ended: eventspine workflows list --workflow ${workflow} --state open --of-version ${version}`,
      here: `List version ${version} in the app until these have ended`,
      place: { kind: 'workflows', name: workflow },
    },
  ]
}

/** Late by more than that is no matter of a deployment that is under way. */
const waitSecondsMax = 60

/** Of these subscriptions. What their newest registered definition knows is taken over within a minute: nothing is wrong. */
export function newerFindings(
  newer: readonly NewerEvents[],
  subscriptions: readonly Pick<SubscriptionView, 'name' | 'policies'>[],
): Finding[] {
  return newer.flatMap((waiting) => {
    const subscription = subscriptions.find(({ name }) => name === waiting.subscription)
    if (subscription === undefined) return []
    const known = knownVersion(subscription, waiting.type)
    return known !== undefined && known >= waiting.version ? [] : [newerFinding(waiting, known)]
  })
}

function newerFinding(waiting: NewerEvents, known: number | undefined): Finding {
  const { subscription, type, version, events, sinceMs, ageSeconds } = waiting
  const knows = known === undefined ? 'none' : `version ${known} at most`
  return {
    severity: ageSeconds > waitSecondsMax ? 'error' : 'warning',
    subject: `subscription ${subscription}`,
    message: `${counted(events, 'event waits', 'events wait')} that its workers cannot read: "${type}" version ${version}, of which they know ${knows}. The oldest has waited since ${new Date(sinceMs).toISOString()}; a day after it was recorded each becomes a dead letter.`,
    advice: `Start workers of an app that defines "${type}" version ${version}: eventspine worker. They take these over by themselves. What has died by then: eventspine redrive --subscription ${subscription}`,
    place: { kind: 'subscription', name: subscription },
  }
}

function knownVersion({ policies }: Pick<SubscriptionView, 'policies'>, type: string): number | undefined {
  const reads = (policies['reads'] ?? {}) as Readonly<Record<string, number>>
  return Object.hasOwn(reads, type) ? reads[type] : undefined
}
