// The codes of all errors, the reference that explains them, and the code that throws them: each names what the
// others name.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorCodes } from 'eventspine'
import { describe, expect, it } from 'vitest'

const repository = join(import.meta.dirname, '../../..')
const read = (file: string) => readFileSync(join(repository, file), 'utf8')

interface Explanation {
  readonly section: string
  readonly text: string
}

const reference = explanations(read('docs/reference/errors.md'))
const codesOf = (section: string) =>
  [...reference].filter(([, explanation]) => explanation.section === section).map(([code]) => code)

const jsonCodes = unionIn('packages/eventspine/src/event/json/error.ts', 'JsonErrorCode')
const embeddedCodes = unionIn('packages/embedded/src/errors.ts', 'EmbeddedDatabaseCode')
const statuses = new Map(
  [...read('packages/server/src/problem/catalog.ts').matchAll(/(\w+): \{\s*status: (\d{3})/g)].map(
    (found) => [String(found[1]), String(found[2])],
  ),
)
const ofTheLibrary = new Set<string>([...errorCodes, ...jsonCodes])

describe('docs/reference/errors.md', () => {
  it('explains every code, and no other', () => {
    expect(codesOf('EventspineError').sort()).toEqual([...errorCodes].sort())
    expect(codesOf('JsonError').sort()).toEqual([...jsonCodes].sort())
    expect(codesOf('EmbeddedDatabaseError').sort()).toEqual([...embeddedCodes].sort())
    expect(codesOf('FilterError')).toEqual(['FilterError'])
    expect(codesOf('Over HTTP alone').sort()).toEqual(
      [...statuses.keys()].filter((code) => !ofTheLibrary.has(code)).sort(),
    )
  })

  it('says what happened and what to do', () => {
    const form = /^\S.{20,}[\s\S]*\n\*\*Do:\*\* \S.{10,}/
    expect([...reference].filter(([, { text }]) => !form.test(text))).toEqual([])
  })

  it('names the HTTP status that the server gives', () => {
    const named = (text: string) => /Over HTTP: HTTP (\d{3})\b/.exec(text)?.[1]
    const given = (code: string) => statuses.get(code === 'NOT_STARTED' ? 'STOPPED' : code)
    expect([...reference].map(([code, { text }]) => [code, named(text)])).toEqual(
      [...reference.keys()].map((code) => [code, given(code)]),
    )
  })
})

describe('every code is thrown somewhere', () => {
  const library = sourceOf('packages/eventspine/src', ['errors.ts'])
  const json = sourceOf('packages/eventspine/src/event/json', ['error.ts'])
  const embedded = sourceOf('packages/embedded/src', ['errors.ts'])
  const server = sourceOf('packages/server/src', ['catalog.ts'])

  it('in the library', () => {
    expect(errorCodes.filter((code) => !library.includes(`'${code}'`))).toEqual([])
    expect(jsonCodes.filter((code) => !json.includes(`'${code}'`))).toEqual([])
  })

  it('in the embedded database', () => {
    expect(embeddedCodes.filter((code) => !embedded.includes(`'${code}'`))).toEqual([])
  })

  it('in the server', () => {
    const own = [...statuses.keys()].filter((code) => !ofTheLibrary.has(code))
    expect(own.filter((code) => !server.includes(`'${code}'`))).toEqual([])
  })
})

/** The third headings with the text below them, and the second heading above. */
function explanations(markdown: string): ReadonlyMap<string, Explanation> {
  const found = new Map<string, Explanation>()
  for (const [, section = '', body = ''] of markdown.matchAll(/^## (.+)\n([\s\S]*?)(?=^## |(?![\s\S]))/gm)) {
    for (const [, code = '', text = ''] of body.matchAll(/^### (\w+)\n([\s\S]*?)(?=^### |(?![\s\S]))/gm)) {
      if (found.has(code)) throw new Error(`${code} is explained twice`)
      found.set(code, { section, text: text.trim() })
    }
  }
  return found
}

function unionIn(file: string, type: string): readonly string[] {
  const union = new RegExp(`type ${type} =([^;]*?)\\n\\n`).exec(read(file))?.[1] ?? ''
  const codes = [...union.matchAll(/'(\w+)'/g)].map((found) => String(found[1]))
  if (codes.length === 0) throw new Error(`${file} has no ${type}`)
  return codes
}

/** What runs: without tests and without the files that declare the codes. */
function sourceOf(folder: string, declarations: readonly string[]): string {
  return readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/\.(test|fixture)\.ts$|conformance/.test(file))
    .filter((file) => !declarations.some((name) => file === name || file.endsWith(`/${name}`)))
    .map((file) => read(join(folder, file)))
    .join('\n')
}
