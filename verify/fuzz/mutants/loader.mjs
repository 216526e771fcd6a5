// Changes the source of one file on its way from the disk, before it is compiled. Nothing is written.
import { fileURLToPath } from 'node:url'
import { mutants } from './catalogue.mjs'

const mutant = mutants[process.env.FUZZ_MUTANT ?? '']
const root = new URL('../../..', import.meta.url).href

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context)
  if (mutant === undefined || url.split('?')[0] !== root + mutant.file) return loaded
  const text = String(loaded.source)
  const found = text.split(mutant.find).length - 1
  if (found !== 1) throw new Error(`stale mutant: its text stands ${found} times in ${fileURLToPath(url)}`)
  return { ...loaded, source: text.replace(mutant.find, () => mutant.replace) }
}
