// Tells which files below a folder a process loads as modules, code or data, so that a change of one of them can start it anew and no
// other change does.
import module from 'node:module'
import { sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MessageChannel } from 'node:worker_threads'

// Runs in the thread of module hooks, as text: whatever translates TypeScript is not asked for it.
const hooks = `let port
export function initialize(given) { port = given.port }
export function load(url, context, next) { port.postMessage(url); return next(url, context) }`

/** From now on. `loaded` is given real paths, one of them several times where it is loaded as several modules. */
export function watchLoading(folder: string, loaded: (path: string) => void): void {
  const { port1, port2 } = new MessageChannel()
  port1.on('message', (url: string) => {
    const path = pathOf(url)
    if (path?.startsWith(folder + sep) && !path.includes(`${sep}node_modules${sep}`)) loaded(path)
  })
  port1.unref()
  const code = `data:text/javascript,${encodeURIComponent(hooks)}`
  module.register(code, { data: { port: port2 }, transferList: [port2] })
}

function pathOf(url: string): string | undefined {
  return url.startsWith('file:') ? fileURLToPath(url) : undefined
}
