// Loaded into a process before all else: hands every module that a planted bug is about on with the bug in it. It is
// registered before the TypeScript loader, so that it sees the source as it is written.
import * as module from 'node:module'
import { isMainThread } from 'node:worker_threads'

const { name, edits } = JSON.parse(process.env.EVENTSPINE_PLANTED ?? '{"edits":[]}')

/** The text of the module at `url` with the bug in it. */
function planted(url, text) {
  return edits
    .filter((edit) => edit.url === url.replace(/\?.*$/, ''))
    .reduce((before, { find, replace }) => {
      const found = before.split(find).length - 1
      if (found !== 1) throw new Error(`stale mutant "${name}": its text stands ${found} times in ${url}`)
      return before.replace(find, () => replace)
    }, text)
}

const isConcerned = (url) => edits.some((edit) => edit.url === url.replace(/\?.*$/, ''))

/** Asynchronous hook, run on Node's loader thread, which reads this file again. */
export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context)
  if (!isConcerned(url)) return loaded
  return { ...loaded, source: planted(url, String(loaded.source)) }
}

function loadSync(url, context, nextLoad) {
  const loaded = nextLoad(url, context)
  if (!isConcerned(url)) return loaded
  return { ...loaded, source: planted(url, String(loaded.source)) }
}

if (edits.length > 0 && isMainThread) {
  if (module.registerHooks === undefined) module.register(import.meta.url)
  else module.registerHooks({ load: loadSync })
}
