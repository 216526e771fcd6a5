import { describe, expect, it } from 'vitest'
import { assert, safeInteger } from './assert.js'
import { EventspineError, errorCodes } from './errors.js'

describe('EventspineError', () => {
  it('is an Error with a name, a code and the cause that it had', () => {
    const cause = new Error('connection refused')
    const error = new EventspineError('UNAVAILABLE', 'The database cannot be reached.', { cause })
    expect(error).toBeInstanceOf(Error)
    expect(error.name).toBe('EventspineError')
    expect(error.code).toBe('UNAVAILABLE')
    expect(error.cause).toBe(cause)
    expect(error.stack).toContain('errors.test')
  })

  it('has no cause where there is none, but keeps one that is null', () => {
    expect('cause' in new EventspineError('STOPPED', 'Stopped.')).toBe(false)
    expect(new EventspineError('STOPPED', 'Stopped.', { cause: null }).cause).toBeNull()
  })

  it('says where the fault lies and how long to wait', () => {
    const issues = [{ field: '/data/price', message: 'is missing' }]
    const error = new EventspineError('EVENT_INVALID', 'Bad.', { field: '/data', issues, retryAfterMs: 5 })
    expect(error).toMatchObject({ field: '/data', issues, retryAfterMs: 5 })
    expect(new EventspineError('EVENT_INVALID', 'Bad.')).toMatchObject({
      field: undefined,
      issues: [],
      retryAfterMs: undefined,
    })
  })

  it('has each code once, in capitals', () => {
    expect(new Set(errorCodes).size).toBe(errorCodes.length)
    expect(errorCodes.filter((code) => !/^[A-Z]+(_[A-Z]+)*$/.test(code))).toEqual([])
  })
})

describe('assert', () => {
  it('throws INVARIANT, which asks for a report', () => {
    expect(() => assert(true, 'never')).not.toThrow()
    expect(() => assert(0, 'The cursor went back')).toThrow(/^The cursor went back\. .*report/)
  })
})

describe('safeInteger', () => {
  it('reads what the database sends, up to 2^53', () => {
    expect(safeInteger('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER)
    expect(safeInteger(0)).toBe(0)
  })

  it.each(['9007199254740993', '1.5', 'x', Number.NaN])('refuses %s', (value) => {
    expect(() => safeInteger(value)).toThrow(/is beyond 2\^53/)
  })
})
