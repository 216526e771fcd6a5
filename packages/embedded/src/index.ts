// A real PostgreSQL beside your process. `EmbeddedPostgres` keeps its data in a folder, `startTemporaryPostgres` is
// for tests.
export { EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded.js'
export { type EmbeddedDatabaseCode, EmbeddedDatabaseError } from './errors.js'
export { findFreePort } from './ports.js'
export { startTemporaryPostgres, type TemporaryPostgres } from './temporary.js'
