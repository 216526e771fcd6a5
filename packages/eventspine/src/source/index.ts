// The ways in: messages of others that become events, with dead letters of their own for those that cannot.

export {
  type CustomSource,
  type CustomSourceOptions,
  customSource,
  type Receipt,
  type ReceivedMessage,
  received,
  type SourceLedger,
  type SourceRun,
} from './custom.js'
export { type FileSource, type FileSourceOptions, fileSource, type RecordPlace } from './file.js'
export { FileImport, valueOfKept } from './file-import.js'
export { type ArrivedFile, type FolderSourceOptions, folderSource } from './folder.js'
export {
  type HttpRoute,
  type HttpRouteOptions,
  httpRoute,
  type ReplyAnswer,
  type RouteAccess,
  type RouteCall,
  type RouteCaller,
  type RouteEvent,
  type RouteMethod,
  type RouteReply,
  type RouteReplyOptions,
} from './http-route.js'
export type { ImportableFile } from './importable-file.js'
export { messageKept, nameOf, subscriptionOf } from './kept.js'
export {
  bodyBytesMax,
  type KeptMessage,
  keptMessage,
  messageOf,
  messageOfKept,
  shownHeaders,
  translatedOf,
} from './message.js'
export type {
  ImportPort,
  ImportProgress,
  ImportStanding,
  ItemRange,
  ReplicationLag,
  ReplicationPort,
  SourceItem,
  SourceItemPort,
  SourceLease,
  SourceLeasePort,
  SourceLeaseView,
  TablePlan,
  TablePort,
  TableStanding,
  TableState,
} from './port.js'
export { type FileRecord, type Format, fieldsOf, RecordSplitter, rowOf } from './records.js'
export { idempotencyHeader, idempotencyKeyOf, type RouteRequest, routeCallOf } from './route-call.js'
export {
  githubSignature,
  type ReceivedRequest,
  type SignatureOptions,
  stripeSignature,
  type Verified,
  type Verifier,
} from './signature.js'
export { isHttpRoute, isTable, isTranslating, type Source, type TranslatingSource } from './source.js'
export { secretBytes, signStandardWebhook, standardWebhooks } from './standard-webhooks.js'
export {
  type AnyTableSource,
  type ColumnValue,
  type TableChange,
  type TableName,
  type TableOperation,
  type TableRow,
  type TableSource,
  type TableSourceOptions,
  tableOperations,
  tableSource,
} from './table.js'
export { isPassing, refusalOf, within } from './translating.js'
export {
  type Message,
  type Translated,
  type Translation,
  type WebhookOptions,
  type WebhookSource,
  webhook,
} from './webhook.js'
