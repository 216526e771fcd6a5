import { describe, expect, expectTypeOf, it } from 'vitest'
import { filterMatches, topicPattern } from './topic-pattern.js'

const vitals = topicPattern('wards/{tenant}/beds/{key}/vitals')

describe('a topic pattern', () => {
  it('is a filter, and says what stands where', () => {
    expect(vitals.filter).toBe('wards/+/beds/+/vitals')
    const parts = vitals.match('wards/icu/beds/7/vitals')
    expect(parts).toEqual({ tenant: 'icu', key: '7' })
    expectTypeOf(parts).toEqualTypeOf<{ readonly tenant: string; readonly key: string } | undefined>()
    expect(topicPattern('a/+/{b}/#').filter).toBe('a/+/+/#')
    expect(topicPattern('a/+/{b}/#').match('a/x/y/z/z')).toEqual({ b: 'y' })
    expect(topicPattern('a/{b}/#').match('a/b')).toEqual({ b: 'b' })
    expect(topicPattern('plain').match('plain')).toEqual({})
  })

  it.each([
    'wards/icu/beds/7',
    'wards/icu/beds/7/vitals/more',
    '/wards/icu/beds/7/vitals',
    'wards/icu/beds/7/vitals/',
    'Wards/icu/beds/7/vitals',
    // What would make an empty tenant or key.
    'wards//beds/7/vitals',
    'wards/icu/beds//vitals',
    // What is a filter and no topic.
    'wards/+/beds/7/vitals',
    'wards/icu/beds/#/vitals',
    'wards/icu/beds/7\0/vitals',
    '',
    '/',
    '////',
    `wards/icu/beds/7/vitals${'/x'.repeat(70_000)}`,
  ])('does not match %j', (topic) => {
    expect(vitals.match(topic)).toBeUndefined()
  })

  it('takes names from the pattern alone', () => {
    const parts = topicPattern('{a}/{b}').match('__proto__/constructor')
    expect(parts).toEqual({ a: '__proto__', b: 'constructor' })
    expect(Object.getPrototypeOf(parts)).toBe(Object.prototype)
  })

  it.each([
    ['', 'is empty'],
    ['a/{b}/{b}', 'stands twice'],
    ['a/b+', 'a whole level'],
    ['a/#/b', 'as the last'],
    ['a/x{b}', 'a name is a whole level'],
    ['a/{__proto__}', 'a name is a whole level'],
    ['a/{b', 'a name is a whole level'],
    ['a/\0', 'no NUL'],
    ['x/'.repeat(100), '101 levels'],
  ])('cannot be %j', (pattern, message) => {
    expect(() => topicPattern(pattern)).toThrow(message)
  })
})

// The examples of the standard (MQTT 5, 4.7.1 to 4.7.3).
describe('a filter', () => {
  it.each<[string, string, boolean]>([
    ['sport/tennis/player1/#', 'sport/tennis/player1', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
    ['sport/#', 'sport', true],
    ['#', 'a/b', true],
    ['sport/tennis/+', 'sport/tennis/player1', true],
    ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['#', '$SYS/monitor', false],
    ['+/monitor/Clients', '$SYS/monitor/Clients', false],
    ['$SYS/#', '$SYS/monitor', true],
    ['$SYS/monitor/+', '$SYS/monitor/Clients', true],
    ['devices/1/#', 'devices/11/x', false],
    ['devices/1/#', 'devices/1/../2/x', true],
    ['a', 'A', false],
  ])('%s and %s: %s', (filter, topic, expected) => {
    expect(filterMatches(filter, topic)).toBe(expected)
  })
})
