// Counters of one process. Numbers of the store (lag, retrying, dead) are read from it when they are asked for.

import { helpOf, metricNames } from './names.js'

export interface MetricSample {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Upper bounds in seconds. */
const bucketBounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30]

class Histogram {
  readonly buckets = new Array<number>(bucketBounds.length).fill(0)
  count = 0
  sum = 0

  observe(seconds: number): void {
    this.count++
    this.sum += seconds
    const at = bucketBounds.findIndex((bound) => seconds <= bound)
    if (at >= 0) this.buckets[at] = (this.buckets[at] ?? 0) + 1
  }

  samples(name: string, help: string, labels: Record<string, string>): MetricSample[] {
    let below = 0
    const rows = bucketBounds.map((bound, index) => {
      below += this.buckets[index] ?? 0
      return {
        name: `${name}_bucket`,
        help,
        type: 'histogram' as const,
        labels: { ...labels, le: String(bound) },
        value: below,
      }
    })
    return [
      ...rows,
      {
        name: `${name}_bucket`,
        help,
        type: 'histogram',
        labels: { ...labels, le: '+Inf' },
        value: this.count,
      },
      { name: `${name}_sum`, help, type: 'histogram', labels, value: this.sum },
      { name: `${name}_count`, help, type: 'histogram', labels, value: this.count },
    ]
  }
}

export class Metrics {
  readonly #counters = new Map<
    string,
    { readonly name: string; readonly labels: Record<string, string>; value: number }
  >()
  readonly #handlers = new Map<string, Histogram>()
  readonly #running = new Map<string, number>()
  readonly #settle = new Histogram()

  #count(name: string, labels: Record<string, string>, by = 1): void {
    const id = `${name}${Object.values(labels).join('\n')}`
    const counter = this.#counters.get(id)
    if (counter === undefined) this.#counters.set(id, { name, labels, value: by })
    else counter.value += by
  }

  published(type: string): void {
    this.#count(metricNames.published, { type })
  }

  refused(code: string): void {
    this.#count(metricNames.refused, { code })
  }

  started(subscription: string): void {
    this.#running.set(subscription, (this.#running.get(subscription) ?? 0) + 1)
  }

  ended(subscription: string, outcome: string, ms: number): void {
    this.#running.set(subscription, (this.#running.get(subscription) ?? 1) - 1)
    this.#count(metricNames.deliveries, { subscription, outcome })
    let histogram = this.#handlers.get(subscription)
    if (histogram === undefined) {
      histogram = new Histogram()
      this.#handlers.set(subscription, histogram)
    }
    histogram.observe(ms / 1000)
  }

  settled(ms: number): void {
    this.#settle.observe(ms / 1000)
  }

  leaseLost(subscription: string): void {
    this.#count(metricNames.leaseLost, { subscription })
  }

  samples(): MetricSample[] {
    const counters = [...this.#counters.values()].map(
      ({ name, labels, value }): MetricSample => ({
        name,
        help: helpOf(name),
        type: 'counter',
        labels,
        value,
      }),
    )
    const running = [...this.#running].map(
      ([subscription, value]): MetricSample => ({
        name: metricNames.inFlight,
        help: helpOf(metricNames.inFlight),
        type: 'gauge',
        labels: { subscription },
        value,
      }),
    )
    const handlers = [...this.#handlers].flatMap(([subscription, histogram]) =>
      histogram.samples(metricNames.handlerSeconds, helpOf(metricNames.handlerSeconds), { subscription }),
    )
    return [
      ...counters,
      ...running,
      ...handlers,
      ...this.#settle.samples(metricNames.settleSeconds, helpOf(metricNames.settleSeconds), {}),
    ]
  }
}

/** Samples in the Prometheus text format 0.0.4. */
export function prometheusText(samples: readonly MetricSample[]): string {
  const families = new Map<string, MetricSample[]>()
  for (const sample of samples) {
    const family = sample.type === 'histogram' ? sample.name.replace(/_(bucket|sum|count)$/, '') : sample.name
    const rows = families.get(family)
    if (rows === undefined) families.set(family, [sample])
    else rows.push(sample)
  }
  return [...families]
    .map(
      ([family, rows]) =>
        `# HELP ${family} ${rows[0]?.help}\n# TYPE ${family} ${rows[0]?.type}\n${rows.map(line).join('')}`,
    )
    .join('')
}

function line({ name, labels, value }: MetricSample): string {
  const pairs = Object.entries(labels).map(
    ([label, text]) =>
      `${label}="${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  )
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`
}
