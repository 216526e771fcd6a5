// Eventspine beside Amazon SQS: messages of a queue become events, and events go to a queue.
export type { SqsClient } from './client.js'
export { type SqsSourceOptions, sqsSource } from './source.js'
export { type SqsTargetOptions, toSqs } from './target.js'
