// Where and with what something was run: stands in the closing line of each programme.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import process from 'node:process'

// As the run begins: what is committed meanwhile was not run.
const commit = commitNow()

export function circumstances(settings: Readonly<Record<string, unknown>>) {
  const [processor] = cpus()
  return {
    commit,
    machine: {
      processor: processor?.model.trim() ?? null,
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 1024 ** 3),
      system: `${process.platform} ${process.arch} ${release()}`,
    },
    node: process.versions.node,
    postgres: packagedPostgres(),
    settings,
  }
}

/** The version of the server that is packaged with the library: that is what all programmes run on but the matrix, which says its own. */
function packagedPostgres(): string | null {
  const manifest = new URL('../../packages/embedded/package.json', import.meta.url)
  const { optionalDependencies } = JSON.parse(readFileSync(manifest, 'utf8')) as {
    optionalDependencies: Record<string, string>
  }
  return Object.values(optionalDependencies)[0] ?? null
}

/** With a `+` where files differ from it; null outside of a checkout. */
function commitNow(): string | null {
  // Also where the checkout is another user's.
  const git = (...parameters: string[]) =>
    spawnSync('git', ['-c', 'safe.directory=*', ...parameters], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    })
  const head = git('rev-parse', '--short=12', 'HEAD')
  if (head.status !== 0) return null
  return `${head.stdout.trim()}${git('status', '--porcelain').stdout === '' ? '' : '+'}`
}
