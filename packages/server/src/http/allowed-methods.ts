// Which methods a path has: for 405, and for OPTIONS.
import type { Route } from '../route/route.js'

export class AllowedMethods {
  readonly #routes: readonly (readonly [RegExp, string])[]

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map(({ url, method }) => [patternOf(url), method])
  }

  /** As the Allow header says them; undefined when there is no such path. */
  of(path: string): string | undefined {
    const methods = new Set(
      this.#routes.filter(([pattern]) => pattern.test(path)).map(([, method]) => method),
    )
    if (methods.size === 0) return undefined
    if (methods.has('GET')) methods.add('HEAD')
    return [...methods, 'OPTIONS'].join(', ')
  }
}

const patternOf = (url: string) =>
  new RegExp(
    `^${url.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/:[a-zA-Z][a-zA-Z0-9]*/g, '[^/]+')}$`,
  )
