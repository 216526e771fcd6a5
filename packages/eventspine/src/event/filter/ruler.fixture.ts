// What the tests of the matcher behind EventBridge hold it to, as facts: src/test of https://github.com/aws/event-ruler
// (Apache-2.0). Patterns with what they take and leave, patterns that it takes, patterns that it refuses, address blocks.
import type { PublishedCase } from './documented.fixture.js'

const image = {
  Image: {
    ...{
      Width: 800,
      Height: 600,
      Title: 'View from 15th Floor',
      Animated: false,
      IDs: [116, 943, 234, 38793],
    },
    Thumbnail: { Url: 'http://www.example.com/image/481989943', Height: 125, Width: 100 },
  },
}
const ofImage = (Image: object, taken: boolean): PublishedCase => ({
  source: 'ruler RulerTest, the image of RFC 8259',
  pattern: { Image },
  ...(taken ? { takes: [image] } : { leaves: [image] }),
})

const employees = {
  employees: [
    [
      { firstName: 'John', lastName: 'Doe', ids: [1234, 1000, 9999] },
      { firstName: 'Anna', lastName: 'Smith' },
    ],
    [{ firstName: 'Peter', lastName: 'Jones', ids: [] }],
  ],
}
const ofEmployees = (wanted: object, taken: boolean): PublishedCase => ({
  source: 'ruler RulerTest, lists in lists',
  pattern: { employees: wanted },
  ...(taken ? { takes: [employees] } : { leaves: [employees] }),
})

const songs = {
  Year: 1966,
  Genres: [{ Pop: true }, { Classical: false }],
  Songs: [
    {
      Name: 'Paperback Writer',
      Writers: [
        { First: 'John', Last: 'Lennon' },
        { First: 'Paul', Last: 'McCartney' },
      ],
    },
    {
      Name: 'Paint It Black',
      Writers: [
        { First: 'Mick', Last: 'Jagger' },
        { First: 'Keith', Last: 'Richards' },
      ],
    },
  ],
}
const ofSongs = (pattern: object, taken: boolean): PublishedCase => ({
  source: 'ruler ACMachineTest, songs',
  pattern,
  ...(taken ? { takes: [songs] } : { leaves: [songs] }),
})
const paul = { First: ['Paul'], Last: ['McCartney'] }
const nobody = { First: ['Mick'], Last: ['McCartney'] }

const but = {
  ...{ a: [{ 'anything-but': ['dad0', 'dad1', 'dad2'] }], b: [{ 'anything-but': [111, 222, 333] }] },
  ...{ c: [{ 'anything-but': 'zdd' }], d: [{ 'anything-but': 444 }], z: [{ numeric: ['>', 0, '<', 1] }] },
  w: [{ 'anything-but': { prefix: 'zax' } }],
}
const child = { a: 'child1', b: '444', c: 'child1', d: 123, w: 'xaz', z: 0.001 }

const ruled: readonly PublishedCase[] = [
  ofImage({ Width: [800], Thumbnail: { Height: [125, 300] } }, true),
  ofImage({ Thumbnail: { Url: [{ prefix: 'http' }] } }, true),
  ofImage(
    {
      Width: [{ numeric: ['<', 1000] }],
      Height: [{ numeric: ['<=', 600] }],
      Title: [{ 'anything-but': 'View from 15th Flood' }],
      Thumbnail: {
        Url: [{ prefix: 'http' }],
        Height: [{ numeric: ['>', 124, '<', 126] }],
        Width: [{ numeric: ['>=', 99.999, '<=', 100] }],
      },
      Animated: [false],
    },
    true,
  ),
  ofImage({ Width: [{ numeric: ['<', 800] }] }, false),
  ofImage({ Height: [{ numeric: ['<', 599] }] }, false),
  ofImage({ Title: [{ 'anything-but': 'View from 15th Floor' }] }, false),
  ofImage({ Thumbnail: { Url: [{ prefix: 'https' }] } }, false),
  ofImage({ Thumbnail: { Height: [{ numeric: ['>', 124, '<', 125] }] } }, false),
  ofImage({ Thumbnail: { Width: [{ numeric: ['>=', 100.00001, '<=', 1001] }] } }, false),
  ofImage({ Animated: [true] }, false),
  ofEmployees({ firstName: ['Anna'] }, true),
  ofEmployees({ firstName: ['John'], ids: [1000] }, true),
  ofEmployees({ firstName: ['Anna'], ids: [{ exists: false }] }, true),
  ofEmployees({ firstName: ['Alice'] }, false),
  ofEmployees({ firstName: ['Anna'], lastName: ['Jones'] }, false),
  ofEmployees({ firstName: ['Alice'], lastName: ['Bob'] }, false),
  ofEmployees({ firstName: ['Anna'], ids: [1000] }, false),
  ofEmployees({ firstName: ['Anna'], ids: [{ exists: true }] }, false),
  { source: 'ruler RulerTest, lists in lists', pattern: { employees: ['b'] }, leaves: [employees] },
  ofSongs({ Year: [1966], Songs: { Name: ['Paperback Writer'], Writers: paul } }, true),
  ofSongs({ Genres: { Pop: [true] }, Songs: { Name: ['Paint It Black'] } }, true),
  ofSongs({ Year: [1966], Songs: { Name: ['Paint It Black'] } }, true),
  ofSongs({ Songs: { Name: ['Paperback Writer'], Writers: { First: ['Mick'] } } }, false),
  ofSongs({ Songs: { Writers: nobody } }, false),
  ofSongs({ Genres: { Pop: [true] }, Songs: { Writers: nobody } }, false),
  {
    source: 'ruler RulerTest, anything-but',
    pattern: but,
    takes: [child],
    leaves: [
      { ...child, a: 'dad789', b: 789, c: 'zdd' },
      { ...child, a: 'dad789', b: 789, z: 1.01 },
      { ...child, a: 'dad1', b: 345 },
      { ...child, a: 'abc', b: 111 },
      { ...child, a: 'dad1', b: 333 },
      { ...child, a: 'abc', b: 0, d: 444, z: 0.999999 },
      { ...child, w: 'zaxonie' },
    ],
  },
  {
    source: 'ruler RulerTest, equals-ignore-case',
    pattern: {
      a: [{ 'equals-ignore-case': 'aBc' }],
      b: [{ 'equals-ignore-case': 'Def' }],
      c: [{ 'equals-ignore-case': 'xyZ' }],
    },
    takes: [{ a: 'ABC', b: 'def', c: 'xYz', d: 'rst' }],
    leaves: [
      { a: 'ABC', b: 'defx', c: 'xYz' },
      { a: 'ABC', c: 'xYz' },
      { a: 'ABC', b: 'xYz', c: 'def' },
    ],
  },
  {
    source: 'ruler RulerTest, wildcard',
    pattern: {
      ...{
        a: [{ wildcard: '*bc' }],
        b: [{ wildcard: 'd*f' }],
        c: [{ wildcard: 'xy*' }],
        d: [{ wildcard: 'xy*' }],
      },
    },
    takes: [{ a: 'abcbc', b: 'deeeef', c: 'xy', d: 'xyzzz' }],
    leaves: [
      { a: 'abcbc', b: 'deeeefx', c: 'xy', d: 'xyzzz' },
      { a: 'abcbc', b: 'deeeef', d: 'xyzzz' },
      { a: 'abcbc', b: 'xy', c: 'deeeef', d: 'xyzzz' },
    ],
  },
  {
    source: 'ruler MachineTest, numeric, also in lists',
    pattern: {
      ...{ a: [{ numeric: ['=', 0] }], b: [{ numeric: ['<', 0] }], c: [{ numeric: ['<=', 0] }] },
      ...{ x: [{ numeric: ['>', 0] }], y: [{ numeric: ['>=', 0] }], z: [{ numeric: ['>', 0, '<', 1] }] },
    },
    takes: [
      { a: 0, b: -0.1, c: 0, x: 1, y: 0, z: 0.1 },
      { a: [0], b: [-0.1], c: [0], x: [1], y: [0], z: [0.1] },
    ],
    leaves: [{ a: 0, b: 0, c: 0, x: 1, y: 0, z: 0.1 }],
  },
  {
    source: 'ruler JsonRuleCompilerTest, big numbers',
    pattern: { account: [123456789012] },
    takes: [{ account: 123456789012 }],
  },
  {
    source: 'ruler ACMachineTest, prefix',
    pattern: { a: [{ prefix: 'zoo' }] },
    takes: [{ a: 'zookeeper' }, { a: 'zoo' }],
  },
  {
    source: 'ruler MachineTest, suffix of several bytes',
    pattern: { status: { weatherText: [{ suffix: '统治者' }] } },
    takes: [{ status: { weatherText: '事件统治者', pm25: 23 } }],
    leaves: [{ status: { weatherText: '统治' } }],
  },
  {
    source:
      'ruler EqualsIgnoreCaseParserTest, letters of several bytes, and of another length in the other case',
    pattern: { a: [{ 'equals-ignore-case': '1aA*†Éⱥ' }] },
    takes: [{ a: '1aA*†Éⱥ' }, { a: '1AA*†éȺ' }],
    leaves: [{ a: '1aA*†Eⱥ' }],
  },
  {
    source: 'ruler RulerTest, exact values are of their kind',
    pattern: { a: [1] },
    takes: [{ a: 1 }],
    leaves: [{ b: 2 }, { a: true }, { a: '1' }],
  },
]

const both = { a: [{ exists: true }], b: [{ exists: true }] }
const named = (d: unknown, taken: boolean, wanted: object): PublishedCase => ({
  source: 'ruler correctness-cases, one element for all conditions',
  pattern: { d: wanted },
  ...(taken ? { takes: [{ d }] } : { leaves: [{ d }] }),
})
const alice = { name: ['alice'], status: ['active'] }
const prefixed = { name: [{ prefix: 'al' }], status: [{ exists: true }] }
const suffixed = { name: [{ suffix: 'ice' }], type: [{ exists: true }] }
const tagged = (condition: unknown) => ({ tags: [condition], type: [{ exists: true }] })
const blue = { t: { k: ['color'], v: ['blue'] } }

const lists: readonly PublishedCase[] = [
  named({ a: 1, b: 2 }, true, both),
  named({ a: 1 }, false, both),
  named([{ a: 1, b: 2 }], true, both),
  named([{ a: 1 }, { b: 2 }], false, both),
  named([{ a: 1 }, { b: 2 }, { a: 3, b: 4 }], true, both),
  named([{ a: 1, b: 2, c: 3 }], true, { ...both, c: [{ exists: true }] }),
  named([{ a: 1 }, { b: 2 }, { c: 3 }], false, { ...both, c: [{ exists: true }] }),
  named([{ name: 'alice', status: 'active' }], true, alice),
  named([{ name: 'alice' }, { status: 'active' }], false, alice),
  named([{ name: 'alice', status: 'ok' }], true, prefixed),
  named([{ name: 'alice' }, { status: 'ok' }], false, prefixed),
  named([{ name: 'alice', type: 'user' }], true, suffixed),
  named([{ name: 'alice' }, { type: 'user' }], false, suffixed),
  named([{ t: [{ k: 'color', v: 'blue' }] }], true, blue),
  named([{ t: [{ k: 'color' }, { v: 'blue' }] }], false, blue),
  named([{ name: 'alice' }, { info: { x: '1' } }], false, { name: [{ exists: true }], info: { x: ['1'] } }),
  named([{ name: 'alice', info: { x: '1' } }], true, { name: [{ exists: true }], info: { x: ['1'] } }),
  named([{ a: 1 }], true, { a: [{ exists: true }], b: [{ exists: false }] }),
  named([{ a: 1, b: 2 }], false, { a: [{ exists: true }], b: [{ exists: false }] }),
  named([], false, { a: [{ exists: true }] }),
  named([{ a: 1 }, { a: 2 }], true, { a: [{ exists: true }] }),
  named([{ a: 'x' }, { a: 'target', b: 'found' }, { a: 'z' }], true, { a: ['target'], b: ['found'] }),
  named(
    [
      { n: 'w', p: 50 },
      { n: 'g', p: 200 },
    ],
    true,
    { p: [{ numeric: ['>', 0, '<', 100] }], n: [{ exists: true }] },
  ),
  named(
    [
      { n: 'alice', s: 'banned' },
      { n: 'bob', s: 'active' },
    ],
    true,
    {
      s: [{ 'anything-but': 'banned' }],
      n: [{ exists: true }],
    },
  ),
  named({ tags: ['admin', 'user', 'dev'], type: 'GROUP' }, true, tagged({ prefix: 'ad' })),
  named({ tags: ['admin', 'user', 'dev'], type: 'GROUP' }, false, tagged({ prefix: 'super' })),
  named({ tags: [100, 5, 200], type: 'ok' }, true, tagged({ numeric: ['>', 0, '<', 10] })),
  named({ tags: ['banned', 'ok'], type: 'x' }, true, tagged({ 'anything-but': 'banned' })),
  named({ tags: ['only'], type: 'x' }, true, tagged({ exists: true })),
  named({ tags: [], type: 'x' }, false, tagged({ exists: true })),
  named([{ a: 1 }, { a: 2 }, { a: 3 }, { a: 4 }, { a: 5, b: 'eve' }], true, both),
  {
    source: 'ruler correctness-cases, a list of objects beside one of values',
    pattern: { users: { name: [{ exists: true }], email: [{ exists: true }] }, tags: ['admin'] },
    takes: [{ users: [{ name: 'alice', email: 'a@x' }], tags: ['admin', 'user'] }],
    leaves: [{ users: [{ name: 'alice' }, { email: 'b@x' }], tags: ['admin'] }],
  },
]

/** What it is tested with. */
export const testedCases: readonly PublishedCase[] = [...ruled, ...lists]

const of = (conditions: readonly unknown[]) => conditions.map((condition) => ({ a: [condition] }))

/** JsonRuleCompilerTest: what a pattern may be. */
export const testedPatterns: readonly unknown[] = [
  { a: [1] },
  ...of([
    ...[{ prefix: 'child' }, { prefix: { 'equals-ignore-case': 'child' } }],
    ...[{ suffix: 'child' }, { suffix: { 'equals-ignore-case': 'child' } }],
    ...[{ 'anything-but': 'child' }, { 'anything-but': ['child0', 'child1'] }, { 'anything-but': 111 }],
    ...[{ 'anything-but': [111, 222, 333] }, { 'anything-but': { prefix: 'foo' } }],
    ...[{ 'anything-but': { prefix: ['abc', '123'] } }, { 'anything-but': { suffix: 'foo' } }],
    ...[{ 'anything-but': { suffix: ['abc', '123'] } }, { 'anything-but': { 'equals-ignore-case': 'rule' } }],
    ...[
      { 'anything-but': { 'equals-ignore-case': '' } },
      { 'anything-but': { 'equals-ignore-case': ['abc', ''] } },
    ],
    ...[{ 'anything-but': { wildcard: 'foo*bar' } }, { 'anything-but': { wildcard: '' } }],
    ...[
      { 'anything-but': { wildcard: ['foo*bar', '*foobar*'] } },
      { 'anything-but': { wildcard: ['foo*bar', ''] } },
    ],
    ...[{ exists: true }, { exists: false }, { cidr: '10.0.0.0/8' }],
    ...[{ 'equals-ignore-case': 'abc' }, { wildcard: 'a*b*c' }],
  ]),
  ...of(
    [
      ...['=', '<', '>', '<=', '>='].flatMap((sign) =>
        [3.8, 0.00000033, -4e-8, 55555].map((bound) => [sign, bound]),
      ),
      ...['>', '>='].flatMap((low) => ['<', '<='].map((high) => [low, 0, high, 1])),
    ].map((numeric) => ({ numeric })),
  ),
]

/** JsonRuleCompilerTest: what it may not be. Broken JSON is left out. */
export const testedRefusals: readonly unknown[] = [
  [1, 2, 3],
  { a: 1 },
  { foo: {} },
  { foo: [] },
  ...of([
    ...[
      { x: 2 },
      { foo: 'child' },
      { exactly: 33 },
      { prefix: 'child', foo: [] },
      { prefix: 3 },
      { prefix: [1, 2, 3] },
    ],
    ...[{ suffix: 'child', foo: [] }, { suffix: 3 }, { suffix: [1, 2, 3] }, { cidr: 'foo' }],
    ...[{ 'anything-but': 'child', foo: [] }, { 'anything-but': ['child0', 111, 'child2'] }],
    ...[
      { 'anything-but': { foo: 3 } },
      { 'anything-but': { prefix: 27 } },
      { 'anything-but': { prefix: '' } },
    ],
    ...[{ 'anything-but': { prefix: 'foo', a: 1 } }, { 'anything-but': { prefix: 'foo' }, x: 1 }],
    ...[{ 'anything-but': { prefix: ['1', ''] } }, { 'anything-but': { prefix: [1, 2, 3] } }],
    ...[{ 'anything-but': { suffix: 27 } }, { 'anything-but': { suffix: '' } }],
    ...[{ 'anything-but': { suffix: 'foo', a: 1 } }, { 'anything-but': { suffix: 'foo' }, x: 1 }],
    ...[{ 'anything-but': { suffix: ['1', ''] } }, { 'anything-but': { suffix: [1, 2, 3] } }],
    ...[{ 'anything-but': { 'equals-ignore-case': [1, 2, 3] } }, { 'anything-but': { wildcard: 27 } }],
    ...[{ 'anything-but': { wildcard: 'foo', a: 1 } }, { 'anything-but': { wildcard: 'foo' }, x: 1 }],
    ...[{ 'anything-but': { wildcard: 'foo**bar' } }, { 'anything-but': { wildcard: 'foo*bar\\' } }],
    ...[{ 'anything-but': { wildcard: ['1', 'foo**bar'] } }, { 'anything-but': { wildcard: [1, 2, 3] } }],
    ...[{ 'equals-ignore-case': 5 }, { 'equals-ignore-case': ['abc'] }],
    ...['prefix', 'suffix'].flatMap((name) => [
      { [name]: { 'invalid-expression': ['abc'] } },
      { [name]: { 'equals-ignore-case': 5 } },
      { [name]: { 'equals-ignore-case': ['abc'] } },
      { [name]: { 'equals-ignore-case': 'abc', test: 'def' } },
      { [name]: { 'equals-ignore-case': 'abc' }, test: 'def' },
    ]),
    ...[{ wildcard: 5 }, { wildcard: ['abc'] }, { exists: 'badString' }, { exists: '= abc' }],
    { exists: true, extraKey: 'extraValue' },
  ]),
  ...of(
    [
      ...['=', '<', '<=', '>='].flatMap((sign) => [[sign, true], [sign, 2e22], [sign, '-4e-8'], [sign]]),
      ...[
        ['<>', 1, '>', 0],
        ['==', 1, '>', 0],
        ['<', 1, '>', 0],
        ['>', 1, '<', 1],
        ['>', 30, '<', 1],
      ],
      ['>', 1, '<', 30, false],
    ].map((numeric) => ({ numeric })),
  ),
]

/** CIDRTest: what is no block of addresses. */
export const testedMalformedBlocks: readonly string[] = [
  ...['192.168.0.1/33', 'foo', 'foo/bar/baz', '192.168.0.1/foo', '192.168.0.1/-3424', 'snorkle/3'],
  ...['10.10.10.10.10/3', '2.1.0.-1/3', '2400:6500:3:3:3:3:3:3:3:3FF00::36FB:1F80/122'],
  ...[
    '2400:6500:3:3:-5:3:3:3:3:3FF00::36FB:1F80/122',
    '2400:6500:3:3:3:3:FFFFFFFFFFF:3:3:3FF00::36FB:1F80/122',
  ],
  '2400:6500:FF00::36FB:1F80/222',
]

/** CIDRTest: blocks, the last address of each, and the first behind it. */
export const testedBlocks: readonly (readonly [block: string, last: string, behind: string])[] = [
  ['0011:2233:4455:6677:8899:aabb:ccdd:eeff/24', '11:22ff:ffff:ffff:ffff:ffff:ffff:ffff', '11:2300::'],
  ['2001:db8::ff00:42:8329/24', '2001:dff:ffff:ffff:ffff:ffff:ffff:ffff', '2001:e00::'],
  ['::1/24', '0:ff:ffff:ffff:ffff:ffff:ffff:ffff', '0:100::'],
  ['10.0.0.0/24', '10.0.0.255', '10.0.1.0'],
  ['54.240.196.171/24', '54.240.196.255', '54.240.197.0'],
  ['192.0.2.0/24', '192.0.2.255', '192.0.3.0'],
  ['13.32.0.0/15', '13.33.255.255', '13.34.0.0'],
  ['27.0.0.0/22', '27.0.3.255', '27.0.4.0'],
  ['52.76.128.0/17', '52.76.255.255', '52.77.0.0'],
  ['34.192.0.0/12', '34.207.255.255', '34.208.0.0'],
  ['2400:6500:FF00::36FB:1F80/122', '2400:6500:ff00::36fb:1fbf', '2400:6500:ff00::36fb:1fc0'],
  ['2600:9000::/28', '2600:900f:ffff:ffff:ffff:ffff:ffff:ffff', '2600:9010::'],
  ['2600:1F11::/36', '2600:1f11:fff:ffff:ffff:ffff:ffff:ffff', '2600:1f11:1000::'],
  ['2600:1F14::/35', '2600:1f14:1fff:ffff:ffff:ffff:ffff:ffff', '2600:1f14:2000::'],
]
