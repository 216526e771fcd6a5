import { describe, expect, it } from 'vitest'
import { ProgressBar } from './progress-bar.js'
import { Screen, type Stream } from './screen.js'
import { list, table } from './table.js'
import { bold, fitted, red, type Text, widthOfText } from './text.js'
import { ago, duration } from './time.js'
import { tree } from './tree.js'
import { visible, visibleJson, visibleLines } from './visible.js'
import { widthOf } from './width.js'

class Paper implements Stream {
  text = ''
  readonly isTTY: boolean
  readonly columns: number

  constructor(isTTY: boolean, columns: number) {
    this.isTTY = isTTY
    this.columns = columns
  }

  write(text: string): void {
    this.text += text
  }
}

function screenOn(
  options: { isTTY?: boolean; json?: boolean; columns?: number; environment?: NodeJS.ProcessEnv } = {},
) {
  const output = new Paper(options.isTTY ?? true, options.columns ?? 80)
  const errors = new Paper(options.isTTY ?? true, options.columns ?? 80)
  const screen = new Screen({
    output,
    errors,
    input: { isTTY: true },
    environment: options.environment ?? {},
    json: options.json ?? false,
  })
  return { screen, output, errors }
}

const hostile = 'a\u001b[2J\u0007\u009b31m\u202eb\r\nc\ud800\u0000'

describe('what others wrote', () => {
  it('is shown, and does nothing', () => {
    expect(visible(hostile)).toBe('a\\u001b[2J\\u0007\\u009b31m\\u202eb\\r\\nc\\ud800\\u0000')
    expect(visible('größe 🎉 日本')).toBe('größe 🎉 日本')
    expect(visibleLines('one\n\ttwo\nthree', 2)).toEqual(['one', '  two', '… 1 more lines'])
  })

  it('stays the same value in JSON', () => {
    const json = visibleJson({ [hostile]: [hostile, '\u007f'] }, 2)
    expect(JSON.parse(json)).toEqual({ [hostile]: [hostile, '\u007f'] })
    expect(/\p{Cc}/u.test(json.replaceAll('\n', ''))).toBe(false)
  })

  it.each(['print', 'note', 'draw', 'table', 'list', 'tree', 'bar'])(
    'reaches the terminal visible by %s',
    (way) => {
      const { screen, output, errors } = screenOn({ environment: { NO_COLOR: '1' } })
      const column = { title: hostile }
      const ways: Record<string, () => void> = {
        print: () => screen.print([bold(hostile), [hostile]]),
        note: () => screen.note(red(hostile)),
        draw: () => screen.draw(hostile),
        table: () => screen.print(...table([column, column], [[hostile, red(hostile)]], 20)),
        list: () => screen.print(...list([[hostile, hostile]])),
        tree: () => screen.print(...tree({ text: hostile, children: [{ text: hostile, children: [] }] })),
        bar: () => new ProgressBar(screen, hostile).update(0.5, hostile),
      }
      ways[way]?.()
      // The lines' own ends, and what redraws a bar.
      const rest = (output.text + errors.text).replaceAll('\n', '').replaceAll('\r\u001b[2K', '')
      expect(rest).not.toBe('')
      expect(/\p{Cc}|\p{Bidi_Control}/u.test(rest)).toBe(false)
    },
  )
})

describe('a screen', () => {
  it('has colours on a terminal alone, and not where NO_COLOR or TERM=dumb say so', () => {
    const colored = (options: Parameters<typeof screenOn>[0]) => {
      const { screen, output } = screenOn(options)
      screen.print(red('x'))
      return output.text !== 'x\n'
    }
    expect(colored({})).toBe(true)
    expect(colored({ isTTY: false })).toBe(false)
    expect(colored({ environment: { NO_COLOR: '1' } })).toBe(false)
    expect(colored({ environment: { NO_COLOR: '' } })).toBe(true)
    expect(colored({ environment: { TERM: 'dumb' } })).toBe(false)
  })

  it('answers JSON or lines, and says nothing else with --json', () => {
    const { screen, output, errors } = screenOn({ json: true })
    screen.note('on the way')
    screen.draw('bar')
    screen.answer({ a: 1 }, () => ['lines'])
    screen.entry({ b: 2 }, () => 'line')
    screen.complain({ code: 'X' }, 'words')
    expect(output.text).toBe('{\n  "a": 1\n}\n{"b":2}\n')
    expect(errors.text).toBe('{"code":"X"}\n')
    expect(screen.interactive).toBe(false)
  })
})

describe('a table', () => {
  const plain = (lines: readonly Text[]) => {
    const { screen, output } = screenOn({ environment: { NO_COLOR: '1' } })
    screen.print(...lines)
    return output.text.split('\n').slice(0, -1)
  }
  const columns = [{ title: 'ID' }, { title: 'N', align: 'right' as const }, { title: 'ERROR', widthMin: 5 }]
  const rows = [
    ['one', '1', 'a rather long message'],
    ['three', '12,345', red('short')],
  ]

  it('is aligned', () => {
    expect(plain(table(columns, rows, 80))).toEqual([
      'ID          N  ERROR',
      'one         1  a rather long message',
      'three  12,345  short',
    ])
  })

  it('is cut to the terminal where it may be', () => {
    const lines = plain(table(columns, rows, 24))
    expect(lines[1]).toBe('one         1  a rather…')
    expect(lines.every((line) => line.length <= 24)).toBe(true)
    expect(plain(table(columns, rows, 10))[1]).toBe('one         1  a ra…')
  })

  it('leaves out what may be, last first, where there is no room', () => {
    const optional = [
      { title: 'ID' },
      { title: 'X', optional: true },
      { title: 'NAME' },
      { title: 'Y', optional: true },
    ]
    const row = ['12345678', 'xx', 'a name', 'yyyy']
    expect(plain(table(optional, [row], 26))[1]).toBe('12345678  xx  a name  yyyy')
    expect(plain(table(optional, [row], 25))[1]).toBe('12345678  xx  a name')
    expect(plain(table(optional, [row], 19))[1]).toBe('12345678  a name')
    expect(plain(table(optional, [row], 5))[1]).toBe('12345678  a name')
  })

  it('counts columns, not characters', () => {
    expect(widthOf('日本')).toBe(4)
    expect(widthOf('e\u0301')).toBe(1)
    expect(widthOfText(fitted('日本語', 4))).toBeLessThanOrEqual(4)
    expect(
      plain(
        table(
          [{ title: 'A' }, { title: 'B' }],
          [
            ['日本', 'x'],
            ['ab', 'y'],
          ],
          80,
        ),
      ),
    ).toEqual(['A     B', '日本  x', 'ab    y'])
  })
})

describe('a tree', () => {
  it('is drawn with lines', () => {
    const { screen, output } = screenOn({ environment: { NO_COLOR: '1' } })
    const leaf = (text: string) => ({ text, children: [] })
    screen.print(
      ...tree({ text: 'a', children: [{ text: 'b', children: [leaf('c'), leaf('d')] }, leaf('e')] }),
    )
    expect(output.text).toBe('a\n├─ b\n│  ├─ c\n│  └─ d\n└─ e\n')
  })
})

describe('times', () => {
  it.each([
    [0.4, '0.4 ms'],
    [12, '12 ms'],
    [1_234, '1.2 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [7_300_000, '2 h'],
    [172_800_000, '2 d'],
  ])('%d ms is %s', (milliseconds, text) => expect(duration(milliseconds)).toBe(text))

  it.each([
    [900, 'just now'],
    [1_500, '1 s ago'],
    [61_000, '1 min ago'],
    [-5_000, 'in 5 s'],
    [90_000_000, '1 d ago'],
  ])('%d ms back is %s', (milliseconds, text) => expect(ago(1e12 - milliseconds, 1e12)).toBe(text))
})
