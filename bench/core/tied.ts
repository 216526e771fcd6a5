import type { ChildProcess } from 'node:child_process'

/** Asks `child` to end with this process, however that ends: who stops the bench does not wait for a question to clean up. */
export function tied<Child extends ChildProcess>(child: Child): Child {
  const end = () => child.kill('SIGTERM')
  process.once('exit', end)
  child.once('exit', () => process.off('exit', end))
  return child
}
