// The parts of the long run: what each programme does in one go, and how much of it is wanted in all.

/** What a part said at its end. Beside these, whatever its programme tells. */
export interface Closing {
  readonly check: string
  readonly runs: number
  readonly violations: number
  readonly seed: number
  readonly seconds: number
  readonly [detail: string]: unknown
}

export interface Programme {
  readonly name: string
  /** What is counted. */
  readonly unit: string
  readonly wanted: number
  /** So many in one part. */
  readonly part: number
  /** Of the first part; each further one begins where its predecessor's seeds end. */
  readonly seed: number
  readonly seedsOfPart: number
  /** The programme's own command, without its seed. */
  readonly command: readonly string[]
  /** How many a part did. */
  counted(closing: Closing): number
}

const schedules = 20_000
const kills = 200
/** As many as the workers keep up with while one of them dies every other second on two cores: with 32 and with 16, half of a part
 *  was spent on what was left at its end. */
const lanes = 10
const drainSeconds = 600
const requests = 25_000

const killsOf = ({ strikes }: Closing) =>
  (strikes as { readonly kill: { readonly struck: number } } | undefined)?.kill.struck ?? 0

export const programmes: readonly Programme[] = [
  {
    ...{ name: 'simulate', unit: 'simulated schedules', wanted: 1_000_000, part: schedules },
    ...{ seed: 40_000_000, seedsOfPart: schedules },
    command: ['verify/simulate/main.ts', '--json', '--schedules', String(schedules)],
    counted: ({ runs }) => runs,
  },
  {
    // 200 kills of the database beside them: a tenth.
    ...{ name: 'crash', unit: 'kills of workers', wanted: 2_000, part: kills },
    ...{ seed: 1_000, seedsOfPart: 1 },
    command: [
      ...['verify/crash/main.ts', '--json', '--seconds', '1500', '--lanes', String(lanes)],
      ...['--drain-seconds', String(drainSeconds)],
      ...['--kills', String(kills), '--postgres-kills', String(kills / 10)],
    ],
    counted: killsOf,
  },
  {
    ...{ name: 'fuzz', unit: 'requests', wanted: 500_000, part: requests },
    ...{ seed: 2_000_000, seedsOfPart: 1 },
    command: ['verify/fuzz/main.ts', '--json', '--requests', String(requests)],
    // `runs` are raw cases as well; the first parts did not tell them apart.
    counted: ({ runs, requests: told }) => (told as number | undefined) ?? Math.min(runs, requests),
  },
]
