// Claim check: large bodies lie in an object store and the event holds a reference.
export { type DirectoryClaimOptions, directoryClaims } from './directory.js'
export { bodyGone, claimReference, referenceParts, verifiedBody } from './reference.js'
export { type S3ClaimOptions, s3Claims } from './s3.js'
export type { Credentials } from './signature.js'
