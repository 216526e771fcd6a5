// npm starts a script through a shell, and passes SIGTERM on to that shell alone, which dies and leaves the script
// running for ever. The script therefore watches those it was started by.
import { readFileSync } from 'node:fs'

const watchMs = 300
const signals = ['SIGINT', 'SIGTERM']
const shells = ['sh', 'dash', 'bash', 'zsh', 'ash', 'busybox']

/** Under npm: sends this process SIGTERM once npm, or the shell between, is gone. Elsewhere: does nothing. */
export function stopWhenOrphaned() {
  if (process.env.npm_lifecycle_event === undefined || process.platform === 'win32') return
  const before = starters()
  const wasSignalled = listenAlong()
  const timer = setInterval(() => {
    if (starters() === before) return
    clearInterval(timer)
    // A second signal means "at once" to many programs, and this one may be finishing its work.
    if (!wasSignalled()) process.kill(process.pid, 'SIGTERM')
  }, watchMs)
  timer.unref()
}

// Hears the signals for which the program listens, and only those: for the others the system's default must hold.
function listenAlong() {
  let signalled = false
  const hear = () => {
    signalled = true
  }
  process.on('newListener', (name) => {
    if (signals.includes(name) && !process.listeners(name).includes(hear)) joinListeners(name, hear)
  })
  process.on('removeListener', (name) => {
    const left = signals.includes(name) ? process.listeners(name) : []
    if (left.length === 1 && left[0] === hear) process.off(name, hear)
  })
  return () => signalled
}

function joinListeners(name, hear) {
  queueMicrotask(() => {
    if (process.listenerCount(name) > 0 && !process.listeners(name).includes(hear))
      process.prependListener(name, hear)
  })
}

// The parent, and what started it when the parent is a shell. Whatever is further up is the person's own business.
function starters() {
  const parent = process.ppid
  try {
    const stat = readFileSync(`/proc/${parent}/stat`, 'utf8')
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    const grandparent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]
    return shells.includes(name) ? `${parent} ${grandparent}` : `${parent}`
  } catch {
    return `${parent}`
  }
}
