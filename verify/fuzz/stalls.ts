// From "the event loop stood still while these were open" to the one request that does it: each is sent again alone.
import type { Campaign, Violation } from './campaign.js'
import type { Target } from './target/target.js'

export interface WorstStall {
  /** Of one request sent alone where that was seen again, else of all that were open at once. */
  readonly ms: number
  readonly says: string
}

const stallMsMax = 200
/** Requests that are sent again to find the one. */
const suspectsMax = 60
const stallsMax = 3
const indexForm = /^fuzz-(\d+)$/

export async function confirmedStalls(
  target: Target,
  campaign: Campaign,
): Promise<{ readonly worst: WorstStall; readonly violations: readonly Violation[] }> {
  const { stalls } = await target.ask('stalls')
  const together = stalls[0]
  if (together === undefined) return { worst: { ms: 0, says: 'none above 25 ms' }, violations: [] }
  const suspects = new Set(stalls.slice(0, stallsMax).flatMap(({ requests }) => requests.map(indexOf)))
  let alone: WorstStall = { ms: 0, says: '' }
  let index: number | undefined
  const connection = campaign.connection()
  for (const suspect of [...suspects].slice(0, suspectsMax)) {
    if (suspect === undefined) continue
    await campaign.send(suspect, connection)
    const [worst] = (await target.ask('stalls')).stalls
    if (worst === undefined || worst.ms <= alone.ms) continue
    alone = { ms: worst.ms, says: `request ${suspect} alone` }
    index = suspect
  }
  connection.close()
  const worst = alone.ms > 0 ? alone : { ms: together.ms, says: 'many requests together, none of them alone' }
  if (alone.ms <= stallMsMax) return { worst, violations: [] }
  const fault = `the event loop stood still for ${alone.ms} ms`
  return { worst, violations: [{ index, says: 'stall', fault, shown: '' }] }
}

function indexOf(requestId: string): number | undefined {
  const digits = indexForm.exec(requestId)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
