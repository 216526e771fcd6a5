// What every run of the command loads before it knows what it is to do: a supervisor, and --help, start without the
// library and the server, which take longer to load than everything else together.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const filesMax = 500
// A name in type position costs nothing at run time.
const loads = /^(?:import|export) (?!type )(?:[^'"=(]*? from )?'([^']+)'/gm

function loadedBy(entry: URL): Map<string, URL> {
  const packages = new Map<string, URL>()
  const files = new Set([entry.href])
  for (const href of files) {
    expect(files.size).toBeLessThan(filesMax)
    for (const [, name = ''] of readFileSync(new URL(href), 'utf8').matchAll(loads)) {
      if (!name.startsWith('.')) packages.set(name, new URL(href))
      else files.add(new URL(name.replace(/\.js$/, '.ts'), href).href)
    }
  }
  return packages
}

it('loads neither the library nor the server', () => {
  const packages = loadedBy(new URL('./run.ts', import.meta.url))
  expect([...packages.keys()]).toContain('commander')
  // One file of the library, which imports nothing.
  expect([...loadedBy(new URL('../../eventspine/src/text.ts', import.meta.url))]).toEqual([])
  const own = [...packages].filter(
    ([name]) => /^(?:eventspine|@eventspine\/server)\b/.test(name) && name !== 'eventspine/text',
  )
  expect(own.map(([name, file]) => `${fileURLToPath(file)} loads ${name}`)).toEqual([])
})
