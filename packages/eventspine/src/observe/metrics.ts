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

/** A counter with one label. */
class Tally {
  readonly #values = new Map<string, number>()

  add(label: string): void {
    this.#values.set(label, (this.#values.get(label) ?? 0) + 1)
  }

  samples(name: string, labelsOf: (label: string) => Record<string, string>): MetricSample[] {
    return [...this.#values].map(([label, value]) => ({
      name,
      help: helpOf(name),
      type: 'counter',
      labels: labelsOf(label),
      value,
    }))
  }
}

/** A number with one label that goes up and down. */
class Level {
  readonly #values = new Map<string, number>()

  add(label: string, count: number): void {
    this.#values.set(label, (this.#values.get(label) ?? 0) + count)
  }

  samples(name: string, label: string): MetricSample[] {
    return [...this.#values].map(([of, value]) => ({
      ...{ name, help: helpOf(name), type: 'gauge', labels: { [label]: of }, value },
    }))
  }
}

/** What is counted of one subscription's handlers: looked up once per attempt, by its name. */
class HandlerMeter {
  readonly outcomes = new Tally()
  readonly seconds = new Histogram()
  running = 0
}

export class Metrics {
  readonly #published = new Tally()
  readonly #refused = new Tally()
  readonly #leasesLost = new Tally()
  readonly #received = new Map<string, Tally>()
  readonly #sourcesEnded = new Tally()
  readonly #sourcesRunning = new Level()
  readonly #messagesInHand = new Level()
  readonly #handlers = new Map<string, HandlerMeter>()
  readonly #settle = new Histogram()

  #handler(subscription: string): HandlerMeter {
    let meter = this.#handlers.get(subscription)
    if (meter === undefined) {
      meter = new HandlerMeter()
      this.#handlers.set(subscription, meter)
    }
    return meter
  }

  published(type: string): void {
    this.#published.add(type)
  }

  received(source: string, outcome: string): void {
    const tally = this.#received.get(source) ?? new Tally()
    this.#received.set(source, tally)
    tally.add(outcome)
  }

  /** Messages of a source came to hand, or left it. */
  inHand(source: string, count: 1 | -1): void {
    this.#messagesInHand.add(source, count)
  }

  sourceRuns(source: string, count: 1 | -1): void {
    this.#sourcesRunning.add(source, count)
  }

  sourceEnded(source: string): void {
    this.#sourcesEnded.add(source)
  }

  refused(code: string): void {
    this.#refused.add(code)
  }

  started(subscription: string): void {
    this.#handler(subscription).running++
  }

  ended(subscription: string, outcome: string, ms: number): void {
    const meter = this.#handler(subscription)
    meter.running--
    meter.outcomes.add(outcome)
    meter.seconds.observe(ms / 1000)
  }

  settled(ms: number): void {
    this.#settle.observe(ms / 1000)
  }

  leaseLost(subscription: string): void {
    this.#leasesLost.add(subscription)
  }

  samples(): MetricSample[] {
    return [
      ...this.#published.samples(metricNames.published, (type) => ({ type })),
      ...this.#refused.samples(metricNames.refused, (code) => ({ code })),
      ...[...this.#received].flatMap(([source, tally]) =>
        tally.samples(metricNames.received, (outcome) => ({ source, outcome })),
      ),
      ...this.#messagesInHand.samples(metricNames.sourceInHand, 'source'),
      ...this.#sourcesRunning.samples(metricNames.sourceRuns, 'source'),
      ...this.#sourcesEnded.samples(metricNames.sourceEnded, (source) => ({ source })),
      ...this.#leasesLost.samples(metricNames.leaseLost, (subscription) => ({ subscription })),
      ...[...this.#handlers].flatMap(([subscription, meter]) => handlerSamples(subscription, meter)),
      ...this.#settle.samples(metricNames.settleSeconds, helpOf(metricNames.settleSeconds), {}),
    ]
  }
}

function handlerSamples(subscription: string, { outcomes, seconds, running }: HandlerMeter): MetricSample[] {
  const labels = { subscription }
  const inFlight: MetricSample = {
    name: metricNames.inFlight,
    help: helpOf(metricNames.inFlight),
    type: 'gauge',
    labels,
    value: running,
  }
  return [
    ...outcomes.samples(metricNames.deliveries, (outcome) => ({ subscription, outcome })),
    inFlight,
    ...seconds.samples(metricNames.handlerSeconds, helpOf(metricNames.handlerSeconds), labels),
  ]
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
