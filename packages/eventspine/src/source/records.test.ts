// Records are the same wherever the chunks end and wherever reading begins anew; and CSV is read as RFC 4180 writes it.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FileRecord, type Format, fieldsOf, RecordSplitter, recordBytesMax, rowOf } from './records.js'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = ({ bytes }: FileRecord) => new TextDecoder().decode(bytes)
const plain = (each: FileRecord) => ({ ...each, bytes: textOf(each) })

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
          expect(rest.map(plain)).toEqual(records.slice(records.indexOf(before) + 1).map(plain))
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

  it('lose no line to quotes that do not add up, wherever chunks end and wherever reading begins anew', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '"', ',', '\n', '\r\n', '"\n', '\n"'),
      maxLength: 30,
    })
    fc.assert(
      fc.property(text, fc.array(fc.nat(40), { maxLength: 5 }), fc.nat(), (given, cuts, chosen) => {
        const records = split('csv', bytesOf(given))
        expect(split('csv', bytesOf(given), cuts).map(plain)).toEqual(records.map(plain))
        const lines = records.flatMap(({ line, endLine }) =>
          Array.from({ length: endLine - line + 1 }, (_, index) => line + index),
        )
        const all = given.split('\n').map((line) => line.replace(/\r$/, ''))
        const [one, ...more] = lines
        for (const [index, line] of more.entries()) expect(line).toBeGreaterThan(lines[index] as number)
        for (const [index, line] of all.entries()) if (line !== '') expect(lines).toContain(index + 1)
        if (one === undefined) return
        const before = records[chosen % records.length] as FileRecord
        const rest = split('csv', bytesOf(given), cuts, before.endBytes, before.endLine + 1)
        expect(rest.map(plain)).toEqual(records.slice(records.indexOf(before) + 1).map(plain))
      }),
      { numRuns: 3_000 },
    )
  })

  it('go on at the next line where a quote is closed nowhere, or by the quote of another record', () => {
    const text = 'a,b\n1,"2\n3,4\n5,"6"\n7,"8\n9,10'
    expect(split('csv', bytesOf(text)).map((each) => [each.line, textOf(each), each.fault])).toEqual([
      [1, 'a,b', undefined],
      [2, '1,"2', expect.stringMatching(/a quote that opens in this line is not closed/)],
      [3, '3,4', undefined],
      [4, '5,"6"', undefined],
      [5, '7,"8', expect.stringMatching(/not closed/)],
      [6, '9,10', undefined],
    ])
  })

  it('go on at the next line behind one that is longer than 1 MiB', () => {
    const x = (bytes: number) => 'x'.repeat(bytes)
    const quotedLong = `"a\n${x(recordBytesMax)}",2\n3,4`
    expect(
      split('csv', bytesOf(quotedLong)).map(({ bytes, fault, line }) => [line, bytes.length, fault]),
    ).toEqual([
      [1, 2, expect.stringMatching(/not closed/)],
      [2, 65_536, expect.stringMatching(/this line has more than 1,024 KiB; its first 64 KiB are kept/)],
      [3, 3, undefined],
    ])
    const closedLong = `"a\nb",${x(recordBytesMax)}\n3,4`
    expect(split('csv', bytesOf(closedLong)).map(({ fault, line }) => [line, fault])).toEqual([
      [1, expect.stringMatching(/the record that begins in this line has more than 1,024 KiB/)],
      [2, expect.stringMatching(/this line has more than/)],
      [3, undefined],
    ])
  })

  it.each(['csv', 'ndjson'] as const)('of %s may have 1 MiB and not a byte more', (format) => {
    const sizes = (text: string, cuts: number[] = []) =>
      split(format, bytesOf(text), cuts).map(({ bytes, endBytes, fault }) => [bytes.length, endBytes, fault])
    const fits = 'x'.repeat(recordBytesMax)
    expect(sizes(`${fits}\n1`)).toEqual([
      [recordBytesMax, recordBytesMax + 1, undefined],
      [1, recordBytesMax + 2, undefined],
    ])
    expect(sizes(fits)).toEqual([[recordBytesMax, recordBytesMax, undefined]])
    const cutOff = [65_536, recordBytesMax + 2, expect.stringMatching(/this line has more than/)]
    for (const cuts of [[], [recordBytesMax], [recordBytesMax + 1], [1, 70_000, recordBytesMax - 1]]) {
      expect(sizes(`${fits}x\n1`, cuts)).toEqual([cutOff, [1, recordBytesMax + 3, undefined]])
      expect(sizes(`${fits}xx`, cuts)).toEqual([cutOff])
    }
  })

  it('are cut off between two characters', () => {
    const [{ bytes } = { bytes: new Uint8Array() }] = split(
      'ndjson',
      bytesOf(`x${'ä'.repeat(recordBytesMax)}`),
    )
    expect(new TextDecoder('utf-8', { fatal: true }).decode(bytes)).toBe(`x${'ä'.repeat(32_767)}`)
    const binary = split('ndjson', new Uint8Array(recordBytesMax + 1).fill(0x80))
    expect(binary.map(({ bytes }) => bytes.length)).toEqual([65_533])
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
