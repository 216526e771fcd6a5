// The ways in: messages of others that become events, with dead letters of their own for those that cannot.

export { type FileSource, type FileSourceOptions, fileSource, type RecordPlace } from './file.js'
export { FileImport, valueOfKept } from './file-import.js'
export { messageKept, nameOf, subscriptionOf } from './kept.js'
export {
  bodyBytesMax,
  type KeptMessage,
  keptMessage,
  messageOf,
  messageOfKept,
  translated,
  translatedOf,
} from './message.js'
export type { ImportPort, ImportProgress, ImportStanding } from './port.js'
export { type FileRecord, type Format, fieldsOf, RecordSplitter, rowOf } from './records.js'
export {
  githubSignature,
  type ReceivedRequest,
  type SignatureOptions,
  stripeSignature,
  type Verified,
  type Verifier,
} from './signature.js'
export type { Source } from './source.js'
export { secretBytes, signStandardWebhook, standardWebhooks } from './standard-webhooks.js'
export { isPassing, within } from './translating.js'
export {
  type Message,
  type Translated,
  type Translation,
  type WebhookOptions,
  type WebhookSource,
  webhook,
} from './webhook.js'
