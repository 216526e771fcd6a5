// What the inventors of event patterns document about them, as facts: a pattern, events that it takes, and events that it leaves.
//   guide  Amazon EventBridge User Guide (© Amazon Web Services): eb-event-patterns, eb-create-pattern, eb-create-pattern-operators,
//          eb-event-patterns-arrays and eb-event-patterns-null-values at https://docs.aws.amazon.com/eventbridge/latest/userguide/
//   ruler  README of https://github.com/aws/event-ruler, the matcher behind EventBridge (Apache-2.0)

/** Where it is published, and what is asked. */
export interface PublishedCase {
  readonly source: string
  readonly pattern: unknown
  readonly takes?: readonly unknown[]
  readonly leaves?: readonly unknown[]
}

const instance = {
  ...{ version: '0', id: 'ddddd4-aaaa-7777-4444-345dd43cc333', account: '012345679012', region: 'us-east-1' },
  ...{
    'detail-type': 'EC2 Instance State-change Notification',
    source: 'aws.ec2',
    time: '2017-10-02T16:24:49Z',
  },
  resources: ['arn:aws:ec2:us-east-1:123456789012:instance/i-000000aaaaaa00000'],
  detail: {
    ...{ 'c-count': 5, 'd-count': 3, 'x-limit': 301.8, 'source-ip': '10.0.0.33' },
    ...{ 'instance-id': 'i-000000aaaaaa00000', state: 'running' },
  },
}
const withDetail = (changes: object) => ({ ...instance, detail: { ...instance.detail, ...changes } })
const ofInstance = (pattern: unknown, leaves: readonly unknown[] = []): PublishedCase => ({
  ...{ source: 'ruler README, Ruler by Example', pattern, takes: [instance], leaves },
})

const readme: readonly PublishedCase[] = [
  ofInstance(
    {
      'detail-type': ['EC2 Instance State-change Notification'],
      resources: ['arn:aws:ec2:us-east-1:123456789012:instance/i-000000aaaaaa00000'],
      detail: { state: ['initializing', 'running'] },
    },
    [withDetail({ state: 'stopped' }), { ...instance, resources: [] }],
  ),
  ofInstance({ time: [{ prefix: '2017-10-02' }] }, [{ ...instance, time: '2017-10-03T00:00:00Z' }]),
  ofInstance({ source: [{ suffix: 'ec2' }] }, [{ ...instance, source: 'aws.ec2.other' }]),
  ofInstance({ source: [{ 'equals-ignore-case': 'AWS.EC2' }] }, [{ ...instance, source: 'EC2' }]),
  ofInstance({ detail: { state: [{ 'anything-but': 'initializing' }] } }, [
    withDetail({ state: 'initializing' }),
  ]),
  ofInstance({ detail: { 'x-limit': [{ 'anything-but': 123 }] } }, [withDetail({ 'x-limit': 123 })]),
  ofInstance({ detail: { state: [{ 'anything-but': ['stopped', 'overloaded'] }] } }, [
    withDetail({ state: 'stopped' }),
    withDetail({ state: 'overloaded' }),
  ]),
  ofInstance({ detail: { 'x-limit': [{ 'anything-but': [100, 200, 300] }] } }, [
    withDetail({ 'x-limit': 200 }),
  ]),
  ofInstance({ detail: { state: [{ 'anything-but': { prefix: 'init' } }] } }, [
    withDetail({ state: 'initializing' }),
  ]),
  ofInstance({ detail: { 'instance-id': [{ 'anything-but': { suffix: '1234' } }] } }, [
    withDetail({ 'instance-id': 'i-1234' }),
  ]),
  ofInstance(
    { detail: { state: [{ 'anything-but': { 'equals-ignore-case': ['Stopped', 'OverLoaded'] } }] } },
    [withDetail({ state: 'STOPPED' })],
  ),
  ofInstance(
    {
      detail: {
        'c-count': [{ numeric: ['>', 0, '<=', 5] }],
        'd-count': [{ numeric: ['<', 10] }],
        'x-limit': [{ numeric: ['=', 3.018e2] }],
      },
    },
    [withDetail({ 'c-count': 0 }), withDetail({ 'd-count': 10 }), withDetail({ 'x-limit': '301.8' })],
  ),
  ofInstance({ detail: { 'source-ip': [{ cidr: '10.0.0.0/24' }] } }, [
    withDetail({ 'source-ip': '10.0.1.0' }),
  ]),
  ofInstance({ detail: { 'c-count': [{ exists: true }] } }, [
    { ...instance, detail: { state: 'running' } },
    withDetail({ 'c-count': { c1: 100 } }),
  ]),
  {
    source: 'ruler README, Exists matching: of leaves only',
    pattern: { detail: { 'c-count': [{ exists: false }] } },
    takes: [
      { detail: { state: ['initializing', 'running'] } },
      { detail: { state: ['running'], 'c-count': { c1: 100 } } },
    ],
    leaves: [instance],
  },
  ofInstance(
    {
      time: [{ prefix: '2017-10-02' }],
      detail: {
        state: [{ 'anything-but': 'initializing' }],
        'c-count': [{ numeric: ['>', 0, '<=', 5] }],
        'd-count': [{ numeric: ['<', 10] }],
        'x-limit': [{ 'anything-but': [100, 200, 300] }],
        'source-ip': [{ cidr: '10.0.0.0/8' }],
      },
    },
    [withDetail({ 'x-limit': 300 }), withDetail({ 'source-ip': '11.0.0.1' })],
  ),
]

const guided = (pattern: object, takes: readonly unknown[], leaves: readonly unknown[]): PublishedCase => ({
  ...{ source: 'guide, operators', pattern, takes, leaves },
})

const guide: readonly PublishedCase[] = [
  {
    source: 'guide, Creating event patterns',
    pattern: {
      source: ['aws.ec2'],
      'detail-type': ['EC2 Instance State-change Notification'],
      detail: { state: ['terminated'] },
    },
    takes: [withDetail({ state: 'terminated' })],
    leaves: [instance, { ...withDetail({ state: 'terminated' }), source: 'aws.fargate' }],
  },
  guided(
    { Location: ['New York'], Day: ['Monday'] },
    [{ Location: 'New York', Day: 'Monday' }],
    [{ Location: 'New York', Day: 'Tuesday' }, { Location: 'New York' }],
  ),
  guided(
    { Region: [{ 'anything-but': { prefix: 'us-' } }] },
    [{ Region: 'eu-central-1' }],
    [{ Region: 'us-east-1' }],
  ),
  guided(
    { FileName: [{ 'anything-but': { suffix: '.png' } }] },
    [{ FileName: 'a.gif' }],
    [{ FileName: 'a.png' }],
  ),
  guided(
    { state: [{ 'anything-but': { 'equals-ignore-case': 'initializing' } }] },
    [{ state: 'running' }],
    [{ state: 'INITIALIZING' }, { state: 'initializing' }],
  ),
  guided(
    { FilePath: [{ 'anything-but': { wildcard: '*/lib/*' } }] },
    [{ FilePath: '/usr/share/a' }],
    [{ FilePath: '/usr/lib/a' }],
  ),
  guided({ Region: [{ prefix: 'us-' }] }, [{ Region: 'us-west-2' }], [{ Region: 'eu-us-1' }]),
  guided(
    { service: [{ prefix: { 'equals-ignore-case': 'eventb' } }] },
    [{ service: 'EventBridge' }, { service: 'EVENTB' }],
    [{ service: 'event' }],
  ),
  guided(
    { service: [{ suffix: { 'equals-ignore-case': 'tbridge' } }] },
    [{ service: 'EventBridge' }, { service: 'eventBRIDGE' }],
    [{ service: 'EventBridges' }],
  ),
  guided({ LastName: [''] }, [{ LastName: '' }], [{ LastName: null }, {}, { LastName: ' ' }]),
  guided({ Name: ['Alice'] }, [{ Name: 'Alice' }], [{ Name: 'alice' }]),
  guided({ Name: [{ 'equals-ignore-case': 'alice' }] }, [{ Name: 'ALICE' }], [{ Name: 'Alicia' }]),
  guided({ FileName: [{ suffix: '.png' }] }, [{ FileName: 'a.png' }], [{ FileName: 'a.png.zip' }]),
  guided({ ProductName: [{ exists: true }] }, [{ ProductName: null }], [{}]),
  guided({ ProductName: [{ exists: false }] }, [{}], [{ ProductName: '' }]),
  guided({ Weather: [{ 'anything-but': ['Raining'] }] }, [{ Weather: 'Sunny' }], [{ Weather: 'Raining' }]),
  guided({ UserID: [null] }, [{ UserID: null }], [{ UserID: '' }, {}, { UserID: 'null' }]),
  guided(
    { Price: [{ numeric: ['=', 100] }] },
    [{ Price: 100 }, { Price: 1e2 }],
    [{ Price: '100' }, { Price: 101 }],
  ),
  guided(
    { Price: [{ numeric: ['>', 10, '<=', 20] }] },
    [{ Price: 10.5 }, { Price: 20 }],
    [{ Price: 10 }, { Price: 20.1 }],
  ),
  guided({ PaymentType: ['Credit', 'Debit'] }, [{ PaymentType: 'Debit' }], [{ PaymentType: 'Cash' }]),
  guided(
    { $or: [{ Location: ['New York'] }, { Day: ['Monday'] }] },
    [{ Location: 'New York', Day: 'Tuesday' }, { Day: 'Monday' }],
    [{ Location: 'Boston', Day: 'Tuesday' }],
  ),
  guided(
    { FileName: [{ wildcard: 'dir/*.png' }] },
    [{ FileName: 'dir/a.png' }, { FileName: 'dir/sub/.png' }],
    [{ FileName: 'other/a.png' }, { FileName: 'dir/a.jpg' }],
  ),
  {
    source: 'guide, arrays: where both are lists, they must have something in common',
    pattern: { resources: ['a', 'b'] },
    takes: [{ resources: ['b', 'c'] }, { resources: 'a' }],
    leaves: [{ resources: ['c', 'd'] }, { resources: [] }],
  },
  {
    source: 'guide, null values and empty strings are not each other',
    pattern: { detail: { eventVersion: [''] } },
    takes: [{ detail: { eventVersion: '', responseElements: null } }],
    leaves: [{ detail: { eventVersion: null } }],
  },
  {
    source: 'guide, null values and empty strings are not each other',
    pattern: { detail: { responseElements: [null] } },
    takes: [{ detail: { eventVersion: '', responseElements: null } }],
    leaves: [{ detail: { responseElements: '' } }, { detail: {} }],
  },
]

const metric = { metricName: ['CPUUtilization', 'ReadLatency'] }
const space = { namespace: ['AWS/EC2', 'AWS/ES'] }

const choices: readonly PublishedCase[] = [
  {
    source: 'ruler README, normal "Or"',
    pattern: { source: ['aws.cloudwatch'], $or: [metric, space] },
    takes: [
      { source: 'aws.cloudwatch', metricName: 'ReadLatency' },
      { source: 'aws.cloudwatch', namespace: 'AWS/ES', metricName: 'other' },
    ],
    leaves: [{ metricName: 'ReadLatency' }, { source: 'aws.cloudwatch', namespace: 'AWS' }],
  },
  {
    source: 'ruler README, parallel "Or"',
    pattern: {
      $or: [metric, space],
      detail: { $or: [{ source: ['aws.cloudwatch'] }, { 'detail-type': ['CloudWatch Alarm State Change'] }] },
    },
    takes: [
      { namespace: 'AWS/EC2', detail: { source: 'aws.cloudwatch' } },
      { metricName: 'CPUUtilization', detail: { 'detail-type': 'CloudWatch Alarm State Change' } },
    ],
    leaves: [
      { namespace: 'AWS/EC2', detail: {} },
      { source: 'aws.cloudwatch', namespace: 'AWS/EC2' },
    ],
  },
  {
    source: 'ruler README, "Or" has an "And" inside',
    pattern: {
      source: ['aws.cloudwatch'],
      $or: [metric, { metricType: ['MetricType'], ...space }, { scope: ['Service'] }],
    },
    takes: [
      { source: 'aws.cloudwatch', metricType: 'MetricType', namespace: 'AWS/ES' },
      { source: 'aws.cloudwatch', scope: 'Service' },
    ],
    leaves: [{ source: 'aws.cloudwatch', metricType: 'MetricType' }, { scope: 'Service' }],
  },
  {
    source: 'ruler README, nested "Or" and "And"',
    pattern: {
      source: ['aws.cloudwatch'],
      $or: [
        metric,
        { metricType: ['MetricType'], ...space, $or: [{ metricId: [1234] }, { spaceId: [1000] }] },
        { scope: ['Service'] },
      ],
    },
    takes: [
      { source: 'aws.cloudwatch', metricType: 'MetricType', namespace: 'AWS/EC2', spaceId: 1000 },
      { source: 'aws.cloudwatch', metricName: 'ReadLatency' },
    ],
    leaves: [
      { source: 'aws.cloudwatch', metricType: 'MetricType', namespace: 'AWS/EC2' },
      { source: 'aws.cloudwatch', metricType: 'MetricType', namespace: 'AWS/EC2', metricId: '1234' },
    ],
  },
  {
    source: 'ruler orRelationshipRules: a choice of objects in objects',
    pattern: {
      detail: { state: { value: ['ALARM'] } },
      $or: [
        { withConfiguration: { metrics: { metricStat: { metric: { namespace: ['AWS/EC2'] } } } } },
        { withoutConfiguration: { metric: { name: ['AWS/Default'] } } },
      ],
    },
    takes: [
      { detail: { state: { value: 'ALARM' } }, withoutConfiguration: { metric: { name: 'AWS/Default' } } },
    ],
    leaves: [
      { detail: { state: { value: 'OK' } }, withoutConfiguration: { metric: { name: 'AWS/Default' } } },
    ],
  },
]

/** What is documented. */
export const documentedCases: readonly PublishedCase[] = [...readme, ...guide, ...choices]
