// Codes by which somebody signs in once. Kept as hashes: whoever reads them cannot sign in by them.
import { createHash } from 'node:crypto'

export interface Guest {
  /** A carer has a phone and alarms of their own; a display hangs on the wall. */
  readonly kind: 'carer' | 'display'
  /** Of the display: its name. */
  readonly person: string
  /** The one whose beds they see. */
  readonly ward: string
}

/** How long a code is good, unless whoever makes it says otherwise: 15 minutes. */
export const codeMs = 15 * 60_000

interface Queries {
  query(text: string, values: readonly unknown[]): Promise<unknown>
}

/** Also forgets those that are too old. */
export async function keepCode(
  database: Queries,
  code: string,
  { person, ward, kind }: Guest,
  expiresAt: Date,
): Promise<void> {
  await database.query(
    `WITH old AS (DELETE FROM ward.sign_in_code WHERE expires_at < clock_timestamp() AND hash <> $1)
     INSERT INTO ward.sign_in_code (hash, person, ward, kind, expires_at) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT DO NOTHING`,
    [hashOf(code), person, ward, kind, expiresAt.toISOString()],
  )
}

export const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url')

/** Where a page signs in by this code: browsers send nothing of what stands behind the #. */
export const signInPath = (code: string) => `/sign-in#${code}`
