// The errors of the supervisor: one class, a stable code, and a message that says what to do next.

/** What went wrong, for programs. The message is for people. */
export type EmbeddedDatabaseCode =
  | 'EMBEDDED_DATABASE_NOT_INSTALLED'
  | 'EMBEDDED_DATABASE_UNSUPPORTED_PLATFORM'
  | 'EMBEDDED_DATABASE_FORBIDDEN'
  | 'EMBEDDED_DATABASE_BUSY'
  | 'EMBEDDED_DATABASE_PORT_TAKEN'
  | 'EMBEDDED_DATABASE_INIT_FAILED'
  | 'EMBEDDED_DATABASE_START_FAILED'
  | 'EMBEDDED_DATABASE_STOP_FAILED'
  | 'EMBEDDED_DATABASE_OTHER_VERSION'

/** Every failure of the embedded database that its caller may see. */
export class EmbeddedDatabaseError extends Error {
  readonly code: EmbeddedDatabaseCode
  override readonly name = 'EmbeddedDatabaseError'

  constructor(code: EmbeddedDatabaseCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** The system's error code (`ENOENT`, `EACCES` ...) when the value carries one. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : undefined
}
