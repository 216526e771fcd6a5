// Events of the engine's own, inside a transaction that is open already.
import type { NewEvent } from '../../event/stored.js'
import {
  eventColumnsOf,
  eventInput,
  eventInputColumns,
  eventInsertColumns,
  eventInsertValues,
} from './append.js'
import type { Connection } from './database.js'

const append = `INSERT INTO eventspine.event ${eventInsertColumns}
SELECT ${eventInsertValues} FROM ${eventInput(1)} AS i(${eventInputColumns})`

export async function appendOwn(query: Connection['query'], events: readonly NewEvent[]): Promise<void> {
  await query('append.own', append, eventColumnsOf(events))
}
