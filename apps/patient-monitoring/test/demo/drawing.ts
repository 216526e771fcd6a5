// A course as a picture: above, each alarm where it was sent and how long it took; below, on the same time, how far the neighbours were
// behind. SVG that can be read on light and on dark paper; a title says what is on it to whoever cannot see it.
import { type AlarmPoint, lateMs } from './alarms.js'
import type { Sample } from './hospital.js'
import type { Course } from './neighbours.js'

const width = 900
const height = 520
const plot = { left: 78, right: width - 20 }
const upper = { top: 78, bottom: 318 }
const lower = { top: 366, bottom: 470 }

/** What is never handed over is drawn on a line of its own above the scale. */
const scaleMs = { least: 1, most: 100_000 }
const decades = [1, 10, 100, 1_000, 10_000, 100_000]
const lostY = upper.top - 12

const style = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 16px; font-weight: 600 }
  .faint { fill: #57606a }
  .axis { stroke: #57606a; stroke-width: 1 }
  .grid { stroke: #57606a; stroke-opacity: .2 }
  .target { stroke: #bc4c00; stroke-width: 1.5; stroke-dasharray: 6 4 }
  .target-text { fill: #bc4c00 }
  .good { fill: #0969da; fill-opacity: .75 }
  .late { fill: #bc4c00; fill-opacity: .8 }
  .lost { stroke: #cf222e; stroke-width: 1.6 }
  .lost-text { fill: #cf222e }
  .behind { fill: #8250df; fill-opacity: .25; stroke: #8250df; stroke-width: 1.5 }
  .phase { fill: #57606a; fill-opacity: .1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .faint { fill: #9198a1 }
    .axis, .grid { stroke: #9198a1 }
    .phase { fill: #9198a1; fill-opacity: .16 }
    .good { fill: #58a6ff }
    .late { fill: #f0883e }
    .target { stroke: #f0883e }
    .target-text { fill: #f0883e }
    .lost { stroke: #ff7b72 }
    .lost-text { fill: #ff7b72 }
    .behind { fill: #bc8cff; fill-opacity: .25; stroke: #bc8cff }
  }`

export function drawn(title: string, course: Course): string {
  const { phases, points, samples } = course
  const fromMs = phases[0]?.fromMs ?? course.startMs
  const toMs = phases.at(-1)?.toMs ?? fromMs + 1
  const x = (ms: number) => plot.left + ((ms - fromMs) / (toMs - fromMs)) * (plot.right - plot.left)
  const shown = samples.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">
<style>${style}
</style>
<text class="title" x="${plot.left}" y="24">${escaped(title)}</text>
${phaseBands(course, x)}
${latencyAxis()}
${points.map((point) => mark(point, x)).join('\n')}
${behindAxis(shown, x)}
${timeAxis(fromMs, toMs, x)}
</svg>
`
}

type ToX = (ms: number) => number

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
const short = (value: number) => String(Math.round(value * 10) / 10)

function phaseBands({ phases }: Course, x: ToX): string {
  return phases
    .map(({ name, fromMs, toMs }, index) => {
      const [left, right] = [x(fromMs), x(toMs)]
      const band =
        index % 2 === 1
          ? `<rect class="phase" x="${short(left)}" y="${upper.top - 22}" width="${short(right - left)}" height="${lower.bottom - upper.top + 22}"/>\n`
          : ''
      return `${band}<text class="faint" text-anchor="middle" x="${short((left + right) / 2)}" y="${upper.top - 30}">${phaseNames[name]}</text>`
    })
    .join('\n')
}

const phaseNames = {
  'warm-up': 'warm-up',
  well: 'all well',
  failing: 'neighbours fail',
  hanging: 'neighbours hang',
  mended: 'mended',
  behind: 'neighbours catch up',
} as const

/** By decades: a good alarm takes tens of milliseconds, a late one minutes. */
function latencyY(ms: number): number {
  const { least, most } = scaleMs
  const share = Math.log(Math.min(most, Math.max(least, ms)) / least) / Math.log(most / least)
  return upper.bottom - share * (upper.bottom - upper.top)
}

function latencyAxis(): string {
  const lines = decades.map((ms) => {
    const y = short(latencyY(ms))
    const name = ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`
    return `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${y}" y2="${y}"/><text class="faint" text-anchor="end" x="${plot.left - 8}" y="${short(Number(y) + 4)}">${name}</text>`
  })
  const y = short(latencyY(lateMs))
  return [
    ...lines,
    `<line class="target" x1="${plot.left}" x2="${plot.right}" y1="${y}" y2="${y}"/>`,
    `<text class="target-text" x="${plot.left + 6}" y="${short(Number(y) - 5)}">${lateMs} ms</text>`,
    `<text class="lost-text" text-anchor="end" x="${plot.left - 8}" y="${lostY + 4}">never</text>`,
    `<text class="faint" transform="translate(16 ${(upper.top + upper.bottom) / 2}) rotate(-90)" text-anchor="middle">reading sent → push taken</text>`,
  ].join('\n')
}

function mark({ atMs, latencyMs }: AlarmPoint, x: ToX): string {
  const at = x(atMs)
  if (latencyMs === null) return `<path class="lost" d="M${short(at - 3)} ${lostY - 3}l6 6m0 -6l-6 6"/>`
  return `<circle class="${latencyMs > lateMs ? 'late' : 'good'}" cx="${short(at)}" cy="${short(latencyY(latencyMs))}" r="2.6"/>`
}

function behindAxis(samples: readonly Sample[], x: ToX): string {
  const most = roundUp(Math.max(10, ...samples.map(waiting)))
  const y = (events: number) => lower.bottom - (events / most) * (lower.bottom - lower.top)
  const [first, last] = [samples[0], samples.at(-1)]
  const line = samples.map((each) => `${short(x(each.atMs))} ${short(y(waiting(each)))}`).join('L')
  const area =
    first === undefined || last === undefined
      ? ''
      : `<path class="behind" d="M${short(x(first.atMs))} ${lower.bottom}L${line}L${short(x(last.atMs))} ${lower.bottom}Z"/>`
  const ticks = [0, most / 2, most].map((events) => {
    const at = short(y(events))
    return `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${at}" y2="${at}"/><text class="faint" text-anchor="end" x="${plot.left - 8}" y="${short(Number(at) + 4)}">${events.toLocaleString('en')}</text>`
  })
  const name = `<text class="faint" x="${plot.left}" y="${lower.top - 12}">events that the neighbours have before them, or try again</text>`
  return [...ticks, area, name].join('\n')
}

const waiting = ({ behindEvents, retrying }: Sample) => behindEvents + retrying

/** To one, two or five of its decade. */
function roundUp(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].map((times) => times * decade).find((each) => each >= value) ?? value
}

function timeAxis(fromMs: number, toMs: number, x: ToX): string {
  const seconds = (toMs - fromMs) / 1_000
  const step = [5, 10, 20, 30, 60, 120, 300, 600].find((each) => seconds / each <= 10) ?? 1_200
  const ticks = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, n) => n * step).map((second) => {
    const at = short(x(fromMs + second * 1_000))
    return `<line class="axis" x1="${at}" x2="${at}" y1="${lower.bottom}" y2="${lower.bottom + 5}"/><text class="faint" text-anchor="middle" x="${at}" y="${lower.bottom + 20}">${second}</text>`
  })
  const axis = `<line class="axis" x1="${plot.left}" x2="${plot.right}" y1="${lower.bottom}" y2="${lower.bottom}"/>`
  return [
    axis,
    ...ticks,
    `<text class="faint" text-anchor="end" x="${plot.right}" y="${lower.bottom + 40}">seconds</text>`,
  ].join('\n')
}
