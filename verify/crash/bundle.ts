// Workers and publishers as one file of JavaScript each. Started from source a process takes more than a second of a
// core until it works: a run that starts thousands of them would measure the compiler.
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { filesOf, type Mutant, mutated } from '../mutants/mutant.js'
import { root } from '../mutants/planter.js'

/** A bug in the product, with the places that it changes. */
export type Planted = Pick<Mutant, 'name' | 'edits'>

export interface Programs {
  readonly worker: URL
  readonly publisher: URL
}

/** Writes both programs into `folder`, with the bug in them. */
export async function bundled(
  folder: string,
  mutant: Planted = { name: 'none', edits: [] },
): Promise<Programs> {
  const read = new Set<string>()
  await build({
    entryPoints: (['worker', 'publisher'] as const).map((name) => join(import.meta.dirname, `${name}.ts`)),
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20', conditions: ['source'] },
    ...{ outdir: folder, outExtension: { '.js': '.mjs' }, logLevel: 'error', sourcemap: 'inline' },
    // What is CommonJS asks for the modules of Node by name.
    banner: {
      js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`,
    },
    plugins: [sources(mutant, read)],
  })
  const unread = filesOf(mutant).filter((file) => !read.has(file))
  if (unread.length > 0) throw new Error(`Mutant "${mutant.name}" changes what no process loads: ${unread}`)
  const program = (name: string) => pathToFileURL(join(folder, `${name}.mjs`))
  return { worker: program('worker'), publisher: program('publisher') }
}

// Each source with its bug, and with its own address: the library finds its migrations by that.
const sources = (mutant: Planted, read: Set<string>): Plugin => ({
  name: 'sources',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const file = relative(root, path)
      read.add(file)
      const text = mutated(mutant, file, readFileSync(path, 'utf8'))
      return {
        loader: 'ts',
        contents: text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
      }
    })
  },
})
