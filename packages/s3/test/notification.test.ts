// Notifications as S3, SNS and EventBridge write them, and the objects that they tell of.
import { expect, test } from 'vitest'
import { objectId, objectsOf } from '../src/index.js'

const told = (notification: unknown) =>
  objectsOf({ json: () => JSON.parse(JSON.stringify(notification)) as unknown })

// Of the documentation of S3, "Event message structure", shortened.
const record = (change: object = {}, object: object = {}) => ({
  ...{ eventVersion: '2.1', eventSource: 'aws:s3', awsRegion: 'us-west-2' },
  ...{ eventTime: '2026-01-31T12:00:00.123Z', eventName: 'ObjectCreated:Put' },
  s3: {
    s3SchemaVersion: '1.0',
    bucket: { name: 'amzn-s3-demo-bucket', arn: 'arn:aws:s3:::amzn-s3-demo-bucket' },
    object: {
      ...{ key: 'in/red+flower+%C3%BC%2B.jpg', size: 1_024, eTag: 'd41d8cd98f00b204e9800998ecf8427e' },
      ...{ versionId: '096fKKXTRTtl3on89fVO.nfljtsv6qko', sequencer: '0055AED6DCD90281E5' },
      ...object,
    },
  },
  ...change,
})

const flower = {
  ...{ bucket: 'amzn-s3-demo-bucket', key: 'in/red flower ü+.jpg', sizeBytes: 1_024 },
  ...{ etag: 'd41d8cd98f00b204e9800998ecf8427e', versionId: '096fKKXTRTtl3on89fVO.nfljtsv6qko' },
  modifiedAt: '2026-01-31T12:00:00.123Z',
}

test('the object of a notification, by its own key', () => {
  expect(told({ Records: [record()] })).toEqual([flower])
})

test('through SNS, and from stores that write the name of the event with a prefix', () => {
  const Message = JSON.stringify({
    Records: [record({ eventName: 's3:ObjectCreated:CompleteMultipartUpload' })],
  })
  expect(told({ Type: 'Notification', TopicArn: 'arn:aws:sns:us-west-2:1:uploads', Message })).toEqual([
    flower,
  ])
})

test('through EventBridge, which writes keys as they are', () => {
  const detail = {
    bucket: { name: 'amzn-s3-demo-bucket' },
    object: {
      key: 'a+b%20c.jpg',
      size: 0,
      etag: 'b1946ac92492d2347c6235b4d2611184',
      sequencer: '00617F08299329D189',
    },
  }
  const notification = {
    version: '0',
    'detail-type': 'Object Created',
    source: 'aws.s3',
    time: '2026-01-31T12:00:00Z',
    detail,
  }
  expect(told(notification)).toEqual([
    {
      ...{ bucket: 'amzn-s3-demo-bucket', key: 'a+b%20c.jpg', sizeBytes: 0 },
      ...{ etag: 'b1946ac92492d2347c6235b4d2611184', modifiedAt: '2026-01-31T12:00:00.000Z' },
    },
  ])
  expect(told({ ...notification, 'detail-type': 'Object Deleted' })).toEqual([])
})

test('what says something else tells of no object', () => {
  expect(told({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'uploads' })).toEqual([])
  expect(told({ Records: [record({ eventName: 'ObjectRemoved:Delete' })] })).toEqual([])
})

test.each([
  ['no notification', { order: 1 }],
  ['no object', null],
  ['no key', { Records: [record({}, { key: undefined })] }],
  ['no time', { Records: [record({ eventTime: undefined })] }],
  ['no name of its event', { Records: [record({ eventName: undefined })] }],
  ['no record', { Records: [] }],
  ['a record that is none', { Records: [record(), 'x'] }],
  ['a record of another service', { Records: [{ eventSource: 'aws:kinesis', kinesis: {} }] }],
])('a message with %s is refused, and so kept', (_, notification) => {
  expect(() => told(notification)).toThrow(SyntaxError)
})

test('an object has one id however often it is told of, and another with each version', () => {
  const [object] = told({ Records: [record()] })
  const [again] = told({ Records: [record({ eventTime: '2026-02-01T00:00:00.000Z' })] })
  const [other] = told({ Records: [record({}, { versionId: 'another' })] })
  const unversioned = (eventTime: string) =>
    told({ Records: [record({ eventTime }, { versionId: undefined })] })[0]
  const ids = [
    object,
    again,
    other,
    unversioned('2026-01-31T12:00:00.123Z'),
    unversioned('2026-01-31T13:00:00.123Z'),
  ]
  const [a, b, ...others] = ids.map((each) => each && objectId(each))
  expect(a).toBe(b)
  expect(new Set([a, ...others]).size).toBe(4)
})
