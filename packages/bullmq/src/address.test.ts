// The same queue is known as the same, however its connection is written.
import { Redis } from 'ioredis'
import { describe, expect, it } from 'vitest'
import { addressOf } from './address.js'

const here = addressOf('emails', {})

describe('the address of a queue', () => {
  it.each([
    { host: 'localhost' },
    { host: '127.0.0.1', port: 6379, db: 0 },
    { url: 'redis://user:secret@localhost:6379' },
    { url: 'redis://LOCALHOST/0' },
    { host: 'localhost', password: 'secret' },
    new Redis({ lazyConnect: true, password: 'secret' }),
  ])('is the same for the same Redis (%#)', (connection) => {
    expect(addressOf('emails', connection)).toBe(here)
    expect(addressOf('emails', connection, 'bull')).toBe(here)
    expect(here).not.toContain('secret')
  })

  it.each([
    [addressOf('letters', {})],
    [addressOf('emails', {}, 'other')],
    [addressOf('emails', { port: 6380 })],
    [addressOf('emails', { host: 'redis.example' })],
    [addressOf('emails', { db: 1 })],
    [addressOf('emails', { url: 'redis://localhost/1' })],
    [addressOf('emails', { path: '/run/redis.sock' })],
    [addressOf('emails', new Redis(6380, { lazyConnect: true }))],
  ])('is another for another: %s', (other) => {
    expect(other).toEqual(expect.any(String))
    expect(other).not.toBe(here)
  })

  it('is not known behind sentinels, or of what is no address', () => {
    expect(addressOf('emails', { sentinels: [{ host: 'a', port: 1 }], name: 'main' })).toBeUndefined()
    expect(addressOf('emails', { url: 'nowhere' })).toBeUndefined()
  })
})
