// Implements what people and the console ask of a store, put together from its subjects.
import type { InspectPort } from '../../inspect/port.js'
import type { Database } from './database.js'
import { deadLetterInspection } from './dead-letters.js'
import { deliveryInspection } from './inspect-deliveries.js'
import { eventInspection } from './inspect-events.js'
import { handlingInspection } from './inspect-handling.js'
import { healthInspection } from './inspect-health.js'
import { newerInspection } from './inspect-newer.js'
import { subscriptionInspection } from './inspect-subscriptions.js'
import { tallyInspection } from './inspect-tally.js'
import { versionInspection } from './inspect-versions.js'
import { redriveInspection } from './redrive.js'
import { replayInspection } from './replay.js'

/** All of InspectPort but `breakers`, which BreakerPort answers under the same name. */
export function inspectStatements(database: Database): Omit<InspectPort, 'breakers'> {
  return {
    ...eventInspection(database),
    ...deliveryInspection(database),
    ...subscriptionInspection(database),
    ...handlingInspection(database),
    ...versionInspection(database),
    ...newerInspection(database),
    ...deadLetterInspection(database),
    ...redriveInspection(database),
    ...replayInspection(database),
    ...healthInspection(database),
    ...tallyInspection(database),
  }
}
