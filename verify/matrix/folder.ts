// Where what the matrix needs is kept between runs: in the checkout's own folder, which no commit takes.
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Made when missing. */
export function matrixFolder(part: string): string {
  const folder = fileURLToPath(new URL(`../../.eventspine/matrix/${part}`, import.meta.url))
  mkdirSync(folder, { recursive: true })
  return folder
}
