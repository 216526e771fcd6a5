// Records are the same wherever the chunks end and wherever reading begins anew; and CSV is read as RFC 4180 writes it.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FileRecord, type Format, fieldsOf, RecordSplitter, rowOf } from './records.js'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = ({ bytes }: FileRecord) => new TextDecoder().decode(bytes)

function split(
  format: Format,
  bytes: Uint8Array,
  cuts: readonly number[] = [],
  from = 0,
  line = 1,
): FileRecord[] {
  const splitter = new RecordSplitter({ format, delimiter: ',', fromBytes: from, fromLine: line })
  const edges = [from, ...cuts.filter((cut) => cut > from && cut < bytes.length), bytes.length].sort(
    (a, b) => a - b,
  )
  const records = edges
    .slice(1)
    .flatMap((end, index) => [...splitter.push(bytes.subarray(edges[index], end))])
  return [...records, ...splitter.end()]
}

const field = fc.string({ unit: fc.constantFrom('a', 'ä', '"', ',', '\n', '\r', ' ', '𝄞'), maxLength: 5 })
const quoted = (value: string) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)
const lineEnd = fc.constantFrom('\n', '\r\n')

describe('records of a file', () => {
  it('come back as they were written, wherever chunks end and wherever reading begins anew', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 8 }),
        lineEnd,
        fc.boolean(),
        fc.array(fc.nat(200), { maxLength: 5 }),
        fc.nat(),
        (rows, end, closed, cuts, chosen) => {
          const text =
            rows.map((row) => row.map(quoted).join(',')).join(end) + (closed && rows.length > 0 ? end : '')
          const bytes = bytesOf(text)
          const records = split('csv', bytes, cuts)
          expect(records.map((record) => fieldsOf(textOf(record), ','))).toEqual(rows)
          if (records.length === 0) return
          const before = records[chosen % records.length] as FileRecord
          const rest = split('csv', bytes, cuts, before.endBytes, before.endLine + 1)
          const plain = (all: readonly FileRecord[]) => all.map((each) => ({ ...each, bytes: textOf(each) }))
          expect(plain(rest)).toEqual(plain(records.slice(records.indexOf(before) + 1)))
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('know their lines, also behind those that have several and those that have nothing', () => {
    const records = split('csv', bytesOf('a,b\n\n"x\ny",2\r\n\r\nc,3'))
    expect(records.map(({ line, endLine }) => [line, endLine])).toEqual([
      [1, 1],
      [3, 4],
      [6, 6],
    ])
    expect(records.at(-1)?.endBytes).toBe(bytesOf('a,b\n\n"x\ny",2\r\n\r\nc,3').length)
  })

  it('of NDJSON end with the line, whatever quotes it holds', () => {
    expect(split('ndjson', bytesOf('{"a":"\\""}\n"\n3')).map(textOf)).toEqual(['{"a":"\\""}', '"', '3'])
  })

  it('that never end are refused with their line', () => {
    const endless = bytesOf(`a,b\n"${'x'.repeat(1024 * 1024 + 1)}`)
    const refusal = expect.objectContaining({ code: 'REQUEST_INVALID' })
    expect(() => split('csv', endless)).toThrow(refusal)
    expect(() => split('ndjson', endless)).toThrow(/begins in line 2.*longer than 1024 KiB/)
    expect(() => split('csv', bytesOf('a,b\n1,"2'))).toThrow(/begins in line 2.*never closed/)
  })

  it('end at their line where a quote stands inside of a plain field', () => {
    const records = split('csv', bytesOf('1,12" pipe\n2,foo\n3,"a""b"\n4,"x"y"\n5,6'))
    expect(records.map(textOf)).toEqual(['1,12" pipe', '2,foo', '3,"a""b"', '4,"x"y"', '5,6'])
  })

  it('begin behind a byte order mark, which is none of them', () => {
    for (const format of ['csv', 'ndjson'] as const)
      expect(split(format, bytesOf('\ufeff"a"\n"\ufeffb"'), [1, 2, 4]).map(({ bytes }) => bytes[0])).toEqual([
        34, 34,
      ])
  })
})

describe('fields of a CSV record', () => {
  it.each([
    ['a,b', ['a', 'b']],
    ['', ['']],
    [',', ['', '']],
    ['"a","b ""c"""', ['a', 'b "c"']],
    ['"",x', ['', 'x']],
    ['a,"b,c"', ['a', 'b,c']],
  ])('%s', (record, fields) => {
    expect(fieldsOf(record, ',')).toEqual(fields)
  })

  it.each([
    ['a"b,c', /not quoted/],
    ['"a"b,c', /field 1 goes on/],
    ['a,"b', /not closed/],
  ])('refuses %s', (record, message) => {
    expect(() => fieldsOf(record, ',')).toThrow(message)
  })

  it('are as many as the first line names', () => {
    expect(rowOf('1;2', ['a', '__proto__'], ';')).toEqual(
      Object.fromEntries([
        ['a', '1'],
        ['__proto__', '2'],
      ]),
    )
    expect(() => rowOf('1;2;3', ['a', 'b'], ';')).toThrow(/has 3 fields, and the first line names 2/)
  })
})
