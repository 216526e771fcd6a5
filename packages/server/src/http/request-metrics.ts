// Requests of this process, counted and timed for /metrics. Labels come from the route table and from short lists, so
// that no caller can make their number grow.

/** Upper bounds in seconds. */
const bucketBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const methodsKnown: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

export interface RequestFacts {
  /** The route's pattern, `none` where no route fits. */
  readonly route: string
  readonly method: string
  /** Undefined when the caller left before the answer began. */
  readonly status: number | undefined
  readonly seconds: number
}

interface Series {
  readonly labels: string
  /** Requests up to each bound, those of smaller bounds not included. */
  readonly buckets: number[]
  count: number
  seconds: number
}

const name = 'eventspine_http_request_seconds'

export class RequestMetrics {
  readonly #series = new Map<string, Series>()

  ended({ route, method, status, seconds }: RequestFacts): void {
    const known = methodsKnown.includes(method) ? method : 'other'
    const series = this.#of(`route="${route}",method="${known}",status="${status ?? 'none'}"`)
    series.count += 1
    series.seconds += seconds
    const at = bucketBounds.findIndex((bound) => seconds <= bound)
    if (at >= 0) series.buckets[at] = (series.buckets[at] ?? 0) + 1
  }

  /** In the Prometheus text format 0.0.4. */
  text(): string {
    const help = `# HELP ${name} Time from a request to the end of its answer, by route, method and status.\n`
    return `${help}# TYPE ${name} histogram\n${[...this.#series.values()].flatMap(linesOf).join('')}`
  }

  #of(labels: string): Series {
    const known = this.#series.get(labels)
    if (known !== undefined) return known
    const series = { labels, buckets: bucketBounds.map(() => 0), count: 0, seconds: 0 }
    this.#series.set(labels, series)
    return series
  }
}

function linesOf({ labels, buckets, count, seconds }: Series): string[] {
  let below = 0
  const bounded = bucketBounds.map((bound, at) => {
    below += buckets[at] ?? 0
    return `${name}_bucket{${labels},le="${bound}"} ${below}\n`
  })
  return [
    ...bounded,
    `${name}_bucket{${labels},le="+Inf"} ${count}\n`,
    `${name}_sum{${labels}} ${seconds}\n`,
    `${name}_count{${labels}} ${count}\n`,
  ]
}
