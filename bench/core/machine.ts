// Where and with what a figure was measured: without it a figure means nothing.
import { spawnSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
}

export function machine(): Machine {
  const all = cpus()
  return {
    processor: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    system: `${process.platform} ${process.arch} ${release()}`,
  }
}

/** The commit of this checkout; `+` when files differ from it. */
export function commit(): string {
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  const git = (...parameters: string[]) => spawnSync('git', parameters, { cwd, encoding: 'utf8' })
  const head = git('rev-parse', '--short=12', 'HEAD')
  if (head.status !== 0) return 'unknown'
  return head.stdout.trim() + (git('status', '--porcelain').stdout === '' ? '' : '+')
}
