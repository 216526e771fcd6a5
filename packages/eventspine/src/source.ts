// `eventspine/source`: the ways in.

export type { Receipt } from './runtime/sources.js'
export {
  type FileSource,
  type FileSourceOptions,
  fileSource,
  githubSignature,
  type ImportStanding,
  type KeptMessage,
  type Message,
  type ReceivedRequest,
  type RecordPlace,
  type SignatureOptions,
  type Source,
  signStandardWebhook,
  standardWebhooks,
  stripeSignature,
  type Translated,
  type Translation,
  type Verified,
  type Verifier,
  type WebhookOptions,
  type WebhookSource,
  webhook,
} from './source/index.js'
