// The guard at every border: what comes in as JSON text and what callers hand in as values keep the same promises, so
// that everything accepted can be stored, parsed back and delivered unchanged. Pure: no clock, no I/O.
export { JsonError, type JsonErrorCode } from './error.js'
export { fitsBytes, type JsonLimits, jsonLimitsDefault } from './limits.js'
export { parseJson } from './parse.js'
export { writeJson } from './write.js'
