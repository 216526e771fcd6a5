// Who speaks to SQS: a client of the caller's, or one that is made of its settings when it is needed.
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs'

/** A client, which stays the caller's, or what one is made of: `{ region, endpoint }`. Left out, region and credentials are
 *  those of the environment. */
export type SqsClient = SQSClient | SQSClientConfig

/** For one answer that is not a long poll. */
export const answerMsMax = 10_000

const isClient = (given: SqsClient): given is SQSClient => 'send' in given && typeof given.send === 'function'

export interface OpenedClient {
  readonly client: SQSClient
  /** Of a client of the caller's nothing is closed. */
  close(): void
}

export function openClient(given: SqsClient = {}): OpenedClient {
  if (isClient(given)) return { client: given, close: () => {} }
  const client = new SQSClient(given)
  return { client, close: () => client.destroy() }
}
