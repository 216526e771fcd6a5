// What the tests of the pages' questions share: a visitor who asks as a browser does, and the ward with its site.
import { expect } from 'vitest'
import { afterTest } from '../../../test/spine.js'
import type { WardSettings } from '../src/settings.js'
import type { Guest } from '../src/site/codes.js'
import { Site, type SiteOptions } from '../src/site/site.js'
import { Stage } from './stage.js'

interface Asked {
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export class Visitor {
  readonly #url: string
  cookie = ''
  csrf = ''

  constructor(url: string) {
    this.#url = url
  }

  async ask(path: string, { method = 'GET', body, headers = {} }: Asked = {}) {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        ...{ cookie: this.cookie, origin: this.#url, 'x-csrf-token': this.csrf },
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: JSON.parse(text) as never }
  }

  async signIn(site: Site, guest: Guest): Promise<string> {
    this.cookie = ''
    const [, code = ''] = (await site.invitation(guest)).split('#')
    const { status, headers, body } = await this.ask('/api/session', { method: 'POST', body: { code } })
    expect(status).toBe(201)
    this.cookie = String(headers.get('set-cookie')).split(';')[0] ?? ''
    this.csrf = (body as { csrf: string }).csrf
    return code
  }
}

export async function opened(options: Partial<SiteOptions> = {}, settings: WardSettings = {}) {
  const stage = await Stage.start(settings)
  const site = new Site({ ...stage.ward, spine: stage.spine, port: 0, liveMs: 20, ...options })
  afterTest(() => site.stop())
  const { url } = await site.start()
  return { stage, site, url, visitor: new Visitor(url) }
}

export const ann: Guest = { kind: 'carer', person: 'ann', ward: 'icu' }
export const wall: Guest = { kind: 'display', person: 'wall', ward: 'icu' }
