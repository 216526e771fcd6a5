// The fuzzer in CI: a fixed seed, and one that nobody has tried, which a failure names.
import { expect, test } from 'vitest'
import { run } from './run.js'

/** The two together. More are a matter of `npm run verify:fuzz`. */
const requestsPerSeed = Number(process.env.FUZZ_REQUESTS ?? 10_000)
const msMax = 600_000

test.each([
  ['fixed', 1],
  ['random', Date.now() % 4_294_967_296],
])(
  'no request of the %s seed %i harms the server',
  async (_, seed) => {
    const report = await run({ requests: requestsPerSeed, seed })
    const again = (index: number | undefined) =>
      index === undefined ? '' : ` (npm run verify:fuzz -- --seed ${seed} --only ${index})`
    const told = report.violations.map(({ says, fault, index }) => `${says}: ${fault}${again(index)}`)
    expect(told, `seed ${seed}`).toEqual([])
    // Those that were open during a stall were sent twice.
    expect(report.requests).toBeGreaterThanOrEqual(requestsPerSeed)
    const succeeded = [...report.byOperation.values()].filter(({ successes }) => successes > 0).length
    // What never succeeds has not been tried. A few rare ones need their number.
    const succeededMin = requestsPerSeed >= 5_000 ? report.byOperation.size - 2 : 1
    expect(succeeded).toBeGreaterThanOrEqual(succeededMin)
    console.log(
      `seed ${seed}: ${report.requests} requests and ${report.rawCases} raw cases in ${report.seconds.toFixed(1)} s, longest stall ${report.worstStall.ms} ms`,
    )
  },
  msMax,
)
