// A server for one test run, in a folder that goes with it.
import { chmodSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded.js'

/** A running temporary server. */
export type TemporaryPostgres = {
  readonly url: string
  /** Ends the server at once and removes its files. Safe to call twice. */
  stop(): Promise<void>
}

/** Starts an empty server in a temporary folder, without forcing anything to disk: about a second. */
export async function startTemporaryPostgres(
  options: Omit<EmbeddedPostgresOptions, 'directory' | 'temporary'> = {},
): Promise<TemporaryPostgres> {
  const directory = mkdtempSync(join(tmpdir(), 'eventspine-'))
  if (process.getuid?.() === 0) chmodSync(directory, 0o711)
  const postgres = new EmbeddedPostgres({ ...options, directory, temporary: true })
  const { url } = await postgres.start()
  return { url, stop: () => postgres.stop() }
}
