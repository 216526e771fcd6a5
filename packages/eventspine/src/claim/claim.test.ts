import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { claimReference, directoryClaims } from './index.js'

const body = JSON.stringify({ large: 'x'.repeat(100_000), '€': '\u{1F600}' })
const hour = 3_600_000

describe('a reference', () => {
  test('is frozen: what is stored under it must be found by later versions', () => {
    expect(claimReference('default', '{"a":1}')).toBe(
      'c8bc52610928c50b6e0330982c2fdce3/92638cbe17ba9659555a00459d2a1ca97b46655dba4d5c3b31cfb5d1fbb84d7a',
    )
  })

  test('is the same for the same body, another for another body or tenant', () => {
    const reference = claimReference('a', body)
    expect(reference).toMatch(/^[0-9a-f]{32}\/[0-9a-f]{64}$/)
    expect(claimReference('a', body)).toBe(reference)
    expect(claimReference('a', `${body} `)).not.toBe(reference)
    const other = claimReference('b', body)
    expect(other.split('/')[0]).not.toBe(reference.split('/')[0])
    expect(other.split('/')[1]).not.toBe(reference.split('/')[1])
  })
})

describe('in a directory', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'claims-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  const files = async () =>
    (await readdir(directory, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))

  test('a body comes back as it was, written once however often', async () => {
    const claims = directoryClaims({ directory: join(directory, 'not', 'yet') })
    const references = await Promise.all(Array.from({ length: 8 }, () => claims.put('a', body)))
    expect(new Set(references).size).toBe(1)
    expect(await files()).toHaveLength(1)
    expect(await claims.get(references[0] ?? '')).toBe(body)
  })

  test('no reference leads out of it', async () => {
    const claims = directoryClaims({ directory: join(directory, 'claims') })
    await writeFile(join(directory, 'secret'), 'secret')
    const reference = await claims.put('../..', body)
    const hostile = [
      '../secret',
      '..%2fsecret',
      `${join(directory, 'secret')}`,
      '',
      '/',
      `${reference}/../../../../secret`,
      `${reference}\n`,
      `${reference}\0`,
      `../${reference}`,
      reference.toUpperCase(),
      reference.replace('/', '\\'),
      `${'.'.repeat(32)}/${'.'.repeat(64)}`,
    ]
    for (const attempt of hostile)
      await expect(claims.get(attempt)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(
      (await files()).every((file) => file.startsWith(join(directory, 'claims')) || file.endsWith('secret')),
    ).toBe(true)
  })

  test('a body that is gone or was changed is said to be', async () => {
    const claims = directoryClaims({ directory })
    const reference = await claims.put('a', body)
    const [file = ''] = await files()
    await writeFile(file, `${body} `)
    await expect(claims.get(reference)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('changed or damaged'),
    })
    await claims.put('a', body)
    expect(await claims.get(reference)).toBe(body)
    await rm(file)
    await expect(claims.get(reference)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('gone'),
    })
  })

  test('a failed write leaves nothing, and a half one is never seen', async () => {
    const claims = directoryClaims({ directory })
    const reference = await claims.put('a', body)
    const [file = ''] = await files()
    await rm(file)
    // A folder in the place of the file makes the rename fail.
    const { mkdir } = await import('node:fs/promises')
    await mkdir(join(file, 'in-the-way'), { recursive: true })
    await expect(claims.put('a', body)).rejects.toThrow('EISDIR')
    expect(await files()).toEqual([])
    expect(await readdir(dirname(file))).toHaveLength(1)
    expect(reference).toBeDefined()
  })

  test('old bodies expire, used again ones do not', async () => {
    const claims = directoryClaims({ directory })
    const old = await claims.put('a', body)
    const used = await claims.put('a', '{}')
    const now = Date.now()
    for (const file of await files()) await utimes(file, new Date(now - 2 * hour), new Date(now - 2 * hour))
    await writeFile(`${(await files())[0]}.0123.part`, 'what a crash left')
    await utimes((await files()).find((file) => file.endsWith('.part')) ?? '', new Date(0), new Date(0))
    await claims.put('a', '{}')
    expect(await claims.expire(now - hour)).toBe(1)
    await expect(claims.get(old)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await claims.get(used)).toBe('{}')
    const left = await files()
    expect(left).toHaveLength(1)
    expect((await stat(left[0] ?? '')).size).toBe(2)
    expect(await readFile(left[0] ?? '', 'utf8')).toBe('{}')
    expect(await directoryClaims({ directory: join(directory, 'none') }).expire(now)).toBe(0)
  })
})
