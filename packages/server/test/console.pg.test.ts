// The console at its place in the server: its pages, how they may be kept, and what stands there without it.
import { createConsole } from '@eventspine/console'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ConsoleFiles } from '../src/index.js'
import { Fixture } from './fixture.js'

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

describe('with a console', () => {
  const fixture = new Fixture({ console: createConsole() })
  beforeAll(async () => {
    await fixture.start()
    await fixture.until(
      () => fixture.send('/console/'),
      ({ status }) => status === 200,
    )
  })
  afterAll(() => fixture.stop())

  test.each(['/console/', '/console/?a=b', '/console/dead-letters?id=a%2Fb', '/console/%3Cscript%3E'])(
    '%s is the page, asked for anew each time',
    async (path) => {
      const page = await fixture.send(path, { headers: browser })
      expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
      expect(page.headers).toMatchObject({
        'content-security-policy': policy,
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      })
      expect(page.text).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=|style=/i)
    },
  )

  test('its files carry the hash of their content and are kept for ever', async () => {
    const { text } = await fixture.send('/console/')
    const paths = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path)
    expect(paths.length).toBeGreaterThan(1)
    for (const path of paths) {
      expect(path).toMatch(/^\/console\/assets\/[\w-]+-[\w-]{8}\.\w+$/)
      const file = await fixture.send(path)
      expect([file.status, file.headers['cache-control']]).toEqual([
        200,
        'public, max-age=31536000, immutable',
      ])
      expect(file.headers['content-type']).toMatch(/^(text\/javascript|text\/css|image\/svg\+xml)/)
      const gzipped = await fixture.send(path, { headers: { 'accept-encoding': 'br, gzip' } })
      expect([gzipped.headers['content-encoding'], gzipped.headers.vary]).toEqual(['gzip', 'accept-encoding'])
      expect(Number(gzipped.headers['content-length'])).toBeLessThan(Number(file.headers['content-length']))
    }
  })

  test.each(['..%2Findex.html', '..%2F..%2Fpackage.json', '%2Fetc%2Fpasswd', 'index.html', 'sources.sha256'])(
    'the file %s is not there',
    async (name) => expect((await fixture.send(`/console/assets/${name}`)).status).toBe(404),
  )

  test('browsers are led there, programs are not', async () => {
    const led = await fixture.send('/', { headers: browser })
    expect([led.status, led.headers.location]).toEqual([302, '/console/'])
    expect((await fixture.send('/')).text).toContain('curl -i')
    expect((await fixture.send('/console')).text).toBe((await fixture.send('/console/')).text)
  })

  test('under a foreign host name there is none', async () => {
    const reply = await fixture.send('/console/', { headers: { host: 'evil.example' } })
    expect([reply.status, reply.json.code]).toEqual([421, 'HOST_REFUSED'])
  })
})

describe('without one', () => {
  const files = (state: Partial<ConsoleFiles>): ConsoleFiles => ({
    ...{ state: 'building', failure: undefined, file: () => undefined, start() {}, stop: async () => {} },
    ...state,
  })
  const at = async (console: ConsoleFiles | undefined) => {
    const fixture = await new Fixture(console === undefined ? {} : { console }).start()
    const replies = [await fixture.send('/console/', { headers: browser }), await fixture.send('/console/')]
    const front = await fixture.send('/', { headers: browser })
    await fixture.stop()
    return { page: replies[0], problem: replies[1], front }
  }

  test('the API says where it would come from, and its own page stays at the front', async () => {
    const { page, problem, front } = await at(undefined)
    expect([problem?.status, problem?.json.code, front.status]).toEqual([404, 'ROUTE_UNKNOWN', 200])
    expect(page?.text).toContain('@eventspine/console')
  })

  test('a page says that it is being built, and looks again', async () => {
    const { page, problem } = await at(files({}))
    expect([page?.status, page?.headers['retry-after']]).toEqual([503, '1'])
    expect(page?.text).toMatch(/http-equiv="refresh".*The console is being built/s)
    expect([problem?.status, problem?.json.code]).toEqual([503, 'UNAVAILABLE'])
  })

  test('a page says why it could not be, as text', async () => {
    const { page } = await at(files({ state: 'failed', failure: 'no <b>luck</b>' }))
    expect(page?.text).toContain('no &lt;b&gt;luck&lt;/b&gt;')
    expect(page?.text).not.toContain('refresh')
  })
})
