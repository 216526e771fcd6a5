// One parameter over time: the mean as a line through the band of lowest and highest, artefacts as crosses at the foot, what came too late
// as squares, alarms as flags with the sign of their priority. The table beside it says the same to whoever does not see it.
import type { Priority } from '../../src/rules/limits.js'
import { draw, make } from '../page/dom.js'
import { dayAndTimeOf, plural, signs, timeOf, whenOf } from '../page/words.js'
import { drawing, extent, type Scale, ticksOf, timeAt, xOf, yOf } from './scale.js'

export interface Point {
  readonly atMs: number
  readonly mean: number
  readonly lowest: number
  readonly highest: number
}

export interface Flag {
  readonly atMs: number
  readonly priority: Priority
  readonly text: string
}

export interface ChartOf {
  readonly name: string
  readonly unit: string
  /** Least and greatest value that there can be, both included. */
  readonly possible: readonly [number, number]
  readonly points: readonly Point[]
  /** The last that was told, of which a point is the mean with others. */
  readonly latest: { readonly value: number; readonly atMs: number; readonly isLeast?: boolean } | undefined
  /** Times at which something was told that cannot be. */
  readonly artefacts: readonly number[]
  /** Times of what came too late to be an alarm. */
  readonly tooLate: readonly number[]
  readonly flags: readonly Flag[]
  readonly fromMs: number
  readonly toMs: number
  /** A value that stays until the next one. */
  readonly isStep?: boolean
  /** Somebody wants to see more of this time. */
  readonly zoom: (atMs: number) => void
}

/** Beyond it a line would say that somebody had measured. */
const gapMsMax = 4 * 3_600_000

export function chartOf(of: ChartOf): HTMLElement {
  const { name, unit, points, artefacts, tooLate, latest } = of
  const scale: Scale = {
    ...extent(
      points.flatMap(({ lowest, highest }) => [lowest, highest]),
      of.possible,
    ),
    fromMs: of.fromMs,
    toMs: of.toMs,
  }
  const { width, height } = drawing
  const svg = draw('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': inWords(of) })
  svg.append(...axes(scale), ...flagsOf(of, scale), ...curve(of, scale))
  for (const atMs of tooLate) svg.append(square(xOf(scale, atMs)))
  for (const atMs of artefacts) svg.append(cross(xOf(scale, atMs)))
  svg.addEventListener('click', (event) => {
    const { left, width: seen } = svg.getBoundingClientRect()
    of.zoom(timeAt(scale, ((event.clientX - left) / seen) * width))
  })
  const now = make(
    'span',
    { class: 'now' },
    make('b', {}, latest === undefined ? '–' : `${latest.isLeast ? '≥' : ''}${figure(latest.value)}`),
    ` ${unit}`,
    make('span', { class: 'faint' }, latest === undefined ? '' : ` ${whenOf(latest.atMs, Date.now())}`),
  )
  return make('figure', { class: 'chart' }, make('figcaption', {}, make('h3', {}, name), now), svg)
}

const figure = (value: number) =>
  Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 2 ? 2 : 1)

function inWords({ name, unit, points, artefacts, tooLate, flags }: ChartOf): string {
  const [first, last] = [points[0], points.at(-1)]
  const course =
    first === undefined || last === undefined
      ? 'no reading'
      : `from ${figure(Math.min(...points.map(({ lowest }) => lowest)))} to ${figure(Math.max(...points.map(({ highest }) => highest)))} ${unit}, at last ${figure(last.mean)} at ${dayAndTimeOf(last.atMs)}`
  const late = tooLate.length === 0 ? '' : ` ${plural(tooLate.length, 'time')} too late to be an alarm,`
  return `${name}: ${course}; ${plural(artefacts.length, 'artefact')},${late} ${plural(flags.length, 'alarm')}`
}

function* axes(scale: Scale): Generator<SVGElement> {
  const { width, height, left, right, bottom, top } = drawing
  const foot = height - bottom
  yield draw('path', { class: 'axis', d: `M${left} ${top}V${foot}H${width - right}` })
  for (const atMs of ticksOf(scale)) {
    const x = xOf(scale, atMs)
    yield draw('path', { class: 'grid', d: `M${x} ${top}V${foot}` })
    yield draw('text', { x, y: height - 3, 'text-anchor': 'middle' }, timeOf(atMs))
  }
  for (const [value, y] of [
    [scale.high, top + 8],
    [scale.low, foot],
  ] as const)
    yield draw('text', { x: left - 4, y, 'text-anchor': 'end' }, figure(value))
}

function* curve({ points, isStep = false }: ChartOf, scale: Scale): Generator<SVGElement> {
  for (const run of runs(points, isStep)) {
    const at = (value: (point: Point) => number) =>
      run.map((point) => `${xOf(scale, point.atMs)} ${yOf(scale, value(point))}`)
    const upper = at(({ highest }) => highest)
    const lower = at(({ lowest }) => lowest).reverse()
    if (!isStep) yield draw('path', { class: 'band', d: `M${[...upper, ...lower].join('L')}Z` })
    yield draw('path', {
      class: 'curve',
      d: isStep ? steps(run, scale) : `M${at(({ mean }) => mean).join('L')}`,
    })
    for (const point of run.length > 60 ? [] : run)
      yield draw('circle', { class: 'dot', cx: xOf(scale, point.atMs), cy: yOf(scale, point.mean), r: 1.8 })
  }
}

const steps = (run: readonly Point[], scale: Scale) =>
  run
    .map(({ atMs, mean }, index) =>
      index === 0 ? `M${xOf(scale, atMs)} ${yOf(scale, mean)}` : `H${xOf(scale, atMs)}V${yOf(scale, mean)}`,
    )
    .join('')

function runs(points: readonly Point[], isStep: boolean): readonly (readonly Point[])[] {
  const all: Point[][] = []
  for (const point of points) {
    const last = all.at(-1)
    const before = last?.at(-1)
    if (last === undefined || before === undefined || (!isStep && point.atMs - before.atMs > gapMsMax))
      all.push([point])
    else last.push(point)
  }
  return all
}

function* flagsOf({ flags }: ChartOf, scale: Scale): Generator<SVGElement> {
  for (const { atMs, priority, text } of flags) {
    if (atMs < scale.fromMs || atMs > scale.toMs) continue
    const x = xOf(scale, atMs)
    yield draw(
      'g',
      { class: `flag ${priority}` },
      draw('title', {}, `${priority}: ${text}, ${dayAndTimeOf(atMs)}`),
      draw('path', { d: `M${x} ${drawing.top}V${drawing.height - drawing.bottom}` }),
      draw('text', { x: x + 2, y: drawing.top + 8 }, signs[priority]),
    )
  }
}

function cross(x: number): SVGElement {
  const y = drawing.height - drawing.bottom - 4
  return draw(
    'path',
    { class: 'artefact', d: `M${x - 3} ${y - 3}l6 6m0 -6l-6 6` },
    draw('title', {}, 'artefact'),
  )
}

function square(x: number): SVGElement {
  const y = drawing.height - drawing.bottom - 4
  return draw(
    'path',
    { class: 'too-late', d: `M${x - 2} ${y - 2}h4v4h-4z` },
    draw('title', {}, 'came too late to be an alarm'),
  )
}
