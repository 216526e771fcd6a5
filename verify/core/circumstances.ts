// Where and with what something was run: stands in the closing line of each programme.
import { spawnSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import process from 'node:process'

/** `commit` has a `+` where files differ from it. */
export function circumstances(settings: Readonly<Record<string, unknown>>) {
  const git = (...parameters: string[]) =>
    spawnSync('git', parameters, { cwd: import.meta.dirname, encoding: 'utf8' })
  const head = git('rev-parse', '--short=12', 'HEAD')
  const isClean = git('status', '--porcelain').stdout === ''
  const [processor] = cpus()
  return {
    commit: head.status === 0 ? `${head.stdout.trim()}${isClean ? '' : '+'}` : null,
    machine: {
      processor: processor?.model.trim() ?? null,
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 1024 ** 3),
      system: `${process.platform} ${process.arch} ${release()}`,
    },
    node: process.versions.node,
    settings,
  }
}
