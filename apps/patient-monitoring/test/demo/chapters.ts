// The chapters of the demonstration and their figures: each a flat record, so that one JSON line holds it.

import { brokerMissing, survive } from './kills.js'
import type { Told } from './load.js'
import { ceiling, dayAndBurst, manyBeds } from './load.js'
import { type Course, failAndHang, farBehind, type NeighboursOptions } from './neighbours.js'
import type { Sent, Shape } from './protocol.js'
import type { Stays } from './stream.js'

export type Figure = { readonly chapter: string; readonly rejected?: true } & Readonly<
  Record<string, string | number | boolean>
>

export interface Sizes {
  readonly beds: number
  readonly eventsPerSecond: number
  readonly warmUpSeconds: number
  readonly phaseSeconds: number
  readonly behindEvents: number
  readonly daySeconds: number
  readonly manyBeds: number
  readonly manyBedsSeconds: number
  readonly compression: number
  readonly ceilingSeconds: number
  readonly killSeconds: number
}

const usual = { beds: 250, eventsPerSecond: 500, manyBeds: 1_000 }

/** Under five minutes. */
export const small: Sizes = {
  ...{ ...usual, warmUpSeconds: 10, phaseSeconds: 6, behindEvents: 50_000, daySeconds: 6 },
  ...{ manyBedsSeconds: 12, compression: 1, ceilingSeconds: 6, killSeconds: 20 },
}

/** An hour of 1,000 beds in twenty minutes; all of it in about fifty. */
export const full: Sizes = {
  ...{ ...usual, warmUpSeconds: 30, phaseSeconds: 60, behindEvents: 1_000_000, daySeconds: 120 },
  ...{ manyBedsSeconds: 1_200, compression: 3, ceilingSeconds: 30, killSeconds: 120 },
}

/** So that an end-to-end test sees every line of it run. */
export const tiny: Sizes = {
  ...{ beds: 20, manyBeds: 20, eventsPerSecond: 40, warmUpSeconds: 1, phaseSeconds: 2, behindEvents: 2_000 },
  ...{ daySeconds: 2, manyBedsSeconds: 2, compression: 1, ceilingSeconds: 1, killSeconds: 6 },
}

export interface Answer {
  readonly figures: readonly Figure[]
  /** To be drawn, by the name of the picture. */
  readonly courses?: readonly (readonly [name: string, title: string, course: Course])[]
}

export interface Scene {
  readonly sizes: Sizes
  readonly stays: Stays
  readonly say: (words: string) => void
}

/** A sender that is late measures itself: its run is rejected. */
const lateMs99Max = 25
const shapes: readonly Shape[] = ['today', 'first']
const shapeNames = { today: 'today', first: 'first shape: one function for each reading' }

export const chapters: Readonly<Record<string, (scene: Scene) => Promise<Answer>>> = {
  neighbours: (scene) =>
    inBoth(scene, 'neighbours', (options) => failAndHang(options), 'Neighbours fail, then hang'),
  behind: (scene) =>
    inBoth(
      scene,
      'behind',
      (options) => farBehind(options, scene.sizes.behindEvents),
      `${scene.sizes.behindEvents.toLocaleString('en')} events behind`,
    ),
  day: async ({ sizes, ...scene }) => ({
    figures: (await dayAndBurst({ ...scene, beds: sizes.beds, seconds: sizes.daySeconds })).map(
      figureOf('day'),
    ),
  }),
  beds: async ({ sizes, ...scene }) => ({
    figures: (
      await manyBeds({ ...scene, beds: sizes.manyBeds, seconds: sizes.manyBedsSeconds }, sizes.compression)
    ).map(figureOf('beds')),
  }),
  ceiling: async ({ sizes, ...scene }) => ({
    figures: (await ceiling({ ...scene, beds: sizes.beds, seconds: sizes.ceilingSeconds })).map(
      figureOf('ceiling'),
    ),
  }),
  kills: async ({ sizes, ...scene }) => {
    if (brokerMissing !== undefined) {
      scene.say(`kills is left out: ${brokerMissing}`)
      return { figures: [] }
    }
    const survived = await survive({ ...scene, beds: sizes.beds, seconds: sizes.killSeconds })
    return { figures: [{ chapter: 'kills', ...survived }] }
  },
}

async function inBoth(
  { sizes, stays, say }: Scene,
  chapter: string,
  run: (options: NeighboursOptions) => Promise<Course>,
  title: string,
): Promise<Answer> {
  const courses: (readonly [string, string, Course])[] = []
  for (const shape of shapes) {
    const course = await run({ ...sizes, shape, stays, say })
    courses.push([`${chapter}-${shape}`, `${title} (${shapeNames[shape]})`, course])
  }
  const figures = courses.flatMap(([, , { shape, phases, sent }]) =>
    phases.map(({ fromMs, toMs, name, ...figures }) => ({
      ...{ chapter, shape, phase: name, seconds: (toMs - fromMs) / 1_000 },
      ...figures,
      ...judged(sent),
    })),
  )
  return { figures, courses }
}

const figureOf =
  (chapter: string) =>
  ({ sent, ...told }: Told): Figure => ({ chapter, ...told, ...judged(sent) })

const judged = ({ lateMs99, lateMsMax }: Sent) => ({
  ...{ generatorLateMs99: lateMs99, generatorLateMsMax: lateMsMax },
  ...(lateMs99 > lateMs99Max ? { rejected: true as const } : {}),
})
