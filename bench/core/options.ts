// The command line of the bench, and how much each kind of run measures.
import { parseArgs } from 'node:util'
import { type SystemName, systemNames } from '../systems/system.js'

export interface Scale {
  readonly runs: number
  /** Of one measurement. */
  readonly seconds: number
  /** Published and handled before measuring begins, in the same processes. */
  readonly warmEvents: number
  /** Of one measurement: whichever is reached first, this or `seconds`. */
  readonly eventsMax: number
  readonly rawEvents: number
  readonly heldSeconds: number
  readonly backlogEvents: number
  /** Peers catch up on fewer, as they need longer for each. */
  readonly peerBacklogEvents: number
  readonly historyEvents: readonly [number, number]
  /** Instances of workflows that sleep. */
  readonly sleepers: number
  readonly idleSeconds: number
  /** A generator later than this, at the 99th percentile or ever, was late, and its run is rejected. */
  readonly lateP99MsMax: number
  readonly lateMsMax: number
}

export interface Options {
  readonly kind: 'full' | 'quick' | 'tiny'
  /** Fewer contestants where they take long. */
  readonly quick: boolean
  readonly only: readonly string[]
  readonly systems: readonly SystemName[]
  readonly seed: number
  readonly json: boolean
  readonly write: boolean
  readonly list: boolean
  readonly help: boolean
  readonly types: boolean
  readonly scale: Scale
  /** Measures all systems for as long as a full run does: what is left out may be the best of them. */
  readonly complete: boolean
}

export const usage = `npm run bench                    everything, an hour or more
npm run bench -- --quick         everything, smaller, at most 5 minutes
npm run bench -- --only fan-out  one question, or several: --only fan-out,idle
                 --list          the questions
                 --systems eventspine,pg-boss   leave the others out
                 --runs 5 --seconds 10          other than by default
                 --size 2000     tiny: shows that a question works, not how fast
                 --seed 1        of the arrival times
                 --json          JSON lines on standard output, the rest on standard error
                 --write         put each answer into docs/benchmarks.md as it comes
                 --types         check the types of bench/ and stop`

const full: Scale = {
  runs: 3,
  seconds: 10,
  warmEvents: 20_000,
  eventsMax: 10_000_000,
  rawEvents: 400_000,
  heldSeconds: 60,
  backlogEvents: 1_000_000,
  peerBacklogEvents: 100_000,
  historyEvents: [1_000_000, 10_000_000],
  sleepers: 1_000_000,
  idleSeconds: 60,
  lateP99MsMax: 5,
  lateMsMax: 100,
}

const quick: Scale = {
  ...full,
  runs: 1,
  seconds: 2,
  warmEvents: 4_000,
  rawEvents: 60_000,
  heldSeconds: 10,
  backlogEvents: 100_000,
  peerBacklogEvents: 10_000,
  historyEvents: [100_000, 1_000_000],
  sleepers: 100_000,
  idleSeconds: 5,
}

export function readOptions(parameters: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      systems: { type: 'string', default: systemNames.join(',') },
      seed: { type: 'string', default: '1' },
      runs: { type: 'string' },
      seconds: { type: 'string' },
      size: { type: 'string' },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      types: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const { json, write, list, help, types } = values
  if (values.only !== undefined && wordsOf(values.only).length === 0)
    throw new Error('--only takes the name of a question, or several: --only fan-out,idle')
  const whole = values.quick ? quick : full
  const sized = values.size === undefined ? whole : tiny(numberOf('--size', values.size))
  return {
    ...{ json, write, list, help, types, quick: values.quick || values.size !== undefined },
    kind: values.size !== undefined ? 'tiny' : values.quick ? 'quick' : 'full',
    only: wordsOf(values.only ?? ''),
    complete: values.systems === systemNames.join(',') && values.seconds === undefined,
    systems: wordsOf(values.systems).map(systemCalled),
    seed: numberOf('--seed', values.seed),
    scale: {
      ...sized,
      ...(values.runs === undefined ? {} : { runs: numberOf('--runs', values.runs) }),
      ...(values.seconds === undefined ? {} : { seconds: numberOf('--seconds', values.seconds) }),
    },
  }
}

function tiny(events: number): Scale {
  return {
    ...quick,
    seconds: 2,
    warmEvents: Math.ceil(events / 4),
    eventsMax: events,
    rawEvents: events,
    heldSeconds: 2,
    backlogEvents: events,
    peerBacklogEvents: events,
    historyEvents: [events, 10 * events],
    sleepers: events,
    idleSeconds: 2,
    // Shows that it works, on a busy machine too.
    lateP99MsMax: 60_000,
    lateMsMax: 60_000,
  }
}

const wordsOf = (list: string) =>
  list
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')

function systemCalled(name: string): SystemName {
  const found = systemNames.find((each) => each === name)
  if (found === undefined) throw new Error(`--systems ${name}: there are ${systemNames.join(', ')}`)
  return found
}

function numberOf(option: string, text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`${option} ${text}: give a whole number from 1`)
  return number
}
