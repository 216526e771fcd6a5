// Where and with what a figure was measured: without it a figure means nothing.
import { spawnSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

const bytesOfGiB = 1024 ** 3

export function machine(): string {
  const all = cpus()
  const memory = Math.round(totalmem() / bytesOfGiB)
  const load = loadavg()[0]?.toFixed(1)
  return `${all[0]?.model.trim() ?? 'unknown'}, ${all.length} cores, ${memory} GiB, ${process.platform} ${process.arch} ${release()}, load ${load}`
}

/** The commit of this checkout; `+` when files differ from it. */
export function commit(): string {
  const cwd = fileURLToPath(new URL('../../../..', import.meta.url))
  const git = (...parameters: string[]) => spawnSync('git', parameters, { cwd, encoding: 'utf8' })
  const head = git('rev-parse', '--short=12', 'HEAD')
  if (head.status !== 0) return 'unknown'
  return head.stdout.trim() + (git('status', '--porcelain').stdout === '' ? '' : '+')
}
