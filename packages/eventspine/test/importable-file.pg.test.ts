// A file that lies elsewhere is imported as one on the disk is: from where the import stands, known by its hash, and never cut short.
import { createHash } from 'node:crypto'
import type { ImportableFile } from 'eventspine/source'
import { expect, test } from 'vitest'
import { importApp, rowText } from './crash/importer-app.js'
import { freshSchema, running } from './support.js'

const rows = 6_000
const content = Buffer.from(
  `device;value;note\n${Array.from({ length: rows }, (_, n) => rowText(n)).join('\n')}\n`,
)

/** Read in odd pieces, up to some byte. */
class Elsewhere implements ImportableFile {
  readonly name = 'elsewhere.csv'
  readonly sizeBytes = content.length
  readonly reads: number[] = []
  #endBytes: number

  constructor(endBytes = content.length) {
    this.#endBytes = endBytes
  }

  async hash() {
    return createHash('sha256').update(content).digest('hex')
  }

  async *read(fromBytes: number) {
    this.reads.push(fromBytes)
    for (let at = fromBytes; at < this.#endBytes; at += 9_973)
      yield content.subarray(at, Math.min(at + 9_973, this.#endBytes))
  }
}

test('a reading that is cut off is no end: the import goes on from there, and is read from there alone', async () => {
  const spine = await running(importApp, freshSchema())
  const cut = new Elsewhere(content.length - 1_000)
  await expect(spine.sources.importFile('readings', cut)).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: expect.stringMatching(/elsewhere.csv became shorter/),
  })
  const [half] = await spine.sources.imports()
  expect(half).toMatchObject({ state: 'running', file: 'elsewhere.csv', sizeBytes: content.length })
  expect(half?.offsetBytes).toBeGreaterThan(0)
  const whole = new Elsewhere()
  const done = await spine.sources.importFile('readings', whole)
  expect(done).toMatchObject({ state: 'completed', records: rows, published: rows - 12, kept: 12 })
  // The names of the fields, and the rest.
  expect(whole.reads).toEqual([0, half?.offsetBytes])
  const again = new Elsewhere()
  const [known] = await spine.sources.imports()
  expect(await spine.sources.importFile('readings', again)).toEqual(known)
  expect(again.reads).toEqual([0])
})

test('one that is longer than it says, or has no hash, is refused before anything is stored', async () => {
  const spine = await running(importApp, freshSchema())
  const wrong = (change: object) =>
    spine.sources.importFile('readings', Object.assign(new Elsewhere(), change))
  await expect(wrong({ hash: async () => 'abc' })).rejects.toThrow(/must have one of 64 hexadecimal digits/)
  await expect(wrong({ sizeBytes: 100 })).rejects.toThrow(/became longer/)
  expect((await spine.operator().events({ limit: 1 })).items).toEqual([])
})
