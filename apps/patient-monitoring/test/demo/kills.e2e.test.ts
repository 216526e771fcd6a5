// The chapter `kills`, small: whatever is killed on the way, the alarms are those of the plain computation over what was sent, raised once
// each and handed to a push service; and no reading has overtaken another.
import { expect, test } from 'vitest'
import { brokerMissing, faults, survive } from './kills.js'
import { readStays } from './stream.js'

const timeout = 300_000
const sizes = { seconds: 5, beds: 20 }

// CI has it.
test.skipIf(brokerMissing !== undefined && process.env['CI'] === undefined)(
  'worker, broker and PostgreSQL are killed, and no alarm is lost, invented or told wrongly',
  { timeout },
  async () => {
    const survived = await survive({ ...sizes, stays: await readStays(), say() {} })
    expect(survived).toMatchObject({ kills: 3, ...Object.fromEntries(faults.map((fault) => [fault, 0])) })
    expect(survived.implied).toBeGreaterThan(0)
    expect(survived.pushed).toBe(survived.implied)
  },
)
