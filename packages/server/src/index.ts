// The HTTP API of Eventspine: a server for one Eventspine, and the keys to it.
export {
  type ApiKey,
  type ApiKeyOptions,
  apiKeyRecord,
  createApiKey,
  type Scope,
  scopes,
} from './access/api-key.js'
export { developmentKey } from './access/key-file.js'
export { type Role, roleNames, roles } from './access/roles.js'
export type { ConsoleFile, ConsoleFiles } from './console/files.js'
export { type ServerLimits, type ServerOptions, serverLimitsDefault } from './options.js'
export { type ProblemCode, problemCodes, problemType } from './problem/catalog.js'
export { createServer, HttpServer, type ServerAddress } from './server.js'
