// The fuzzer in CI: seeds that found something once. New ones are tried in the long run: a finding there is worth a
// look, and no reason to refuse a change that has nothing to do with it.
import { expect, test } from 'vitest'
import { run } from './run.js'

/** The two together. More are a matter of `npm run verify:fuzz`. */
const requestsPerSeed = Number(process.env.FUZZ_REQUESTS ?? 10_000)
const msMax = 600_000

test.each([777_001, 566_113_186])(
  'no request of seed %i harms the server',
  async (seed) => {
    const report = await run({ requests: requestsPerSeed, seed })
    const again = (index: number | undefined) =>
      index === undefined ? '' : ` (npm run verify:fuzz -- --seed ${seed} --only ${index})`
    const told = report.violations.map(({ says, fault, index }) => `${says}: ${fault}${again(index)}`)
    expect(told, `seed ${seed}`).toEqual([])
    // Those that were open during a stall were sent twice.
    expect(report.requests).toBeGreaterThanOrEqual(requestsPerSeed)
    const failed = [...report.byOperation].filter(([, { successes }]) => successes === 0).map(([id]) => id)
    // What never succeeds has not been tried. A few rare ones need their number.
    if (requestsPerSeed >= 5_000) expect(failed.length, failed.join(', ')).toBeLessThanOrEqual(2)
    console.log(
      `seed ${seed}: ${report.requests} requests and ${report.rawCases} raw cases in ${report.seconds.toFixed(1)} s, longest stall ${report.worstStall.ms} ms`,
    )
  },
  msMax,
)
