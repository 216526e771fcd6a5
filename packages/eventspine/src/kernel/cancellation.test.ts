import { expect, it } from 'vitest'
import { Cancellation } from './cancellation.js'

it('tells each listener once, in order, also one that comes late', () => {
  const cancellation = new Cancellation()
  const told: string[] = []
  cancellation.listen(() => told.push('first'))
  cancellation.listen(() => told.push('second'))
  expect(told).toEqual([])
  cancellation.cancel('deadline')
  cancellation.cancel('again')
  cancellation.listen(() => told.push('late'))
  expect(told).toEqual(['first', 'second', 'late'])
  expect(cancellation).toMatchObject({ cancelled: true, reason: 'deadline' })
})

it('tells all of them also when one stops listening for all, and nobody who stopped before', () => {
  const cancellation = new Cancellation()
  const told: string[] = []
  cancellation.listen(() => told.push('gone'))
  cancellation.release()
  cancellation.listen(() => {
    told.push('first')
    cancellation.release()
  })
  cancellation.listen(() => told.push('second'))
  cancellation.cancel('lease lost')
  expect(told).toEqual(['first', 'second'])
})

it('is an AbortSignal for who asks, before and after the cancellation', () => {
  const reason = new Error('lease lost')
  const early = new Cancellation()
  const { signal } = early
  expect(signal.aborted).toBe(false)
  early.cancel(reason)
  expect(signal.aborted).toBe(true)
  expect(signal.reason).toBe(reason)
  expect(early.signal).toBe(signal)

  const late = new Cancellation()
  late.cancel(reason)
  expect(late.signal.reason).toBe(reason)
})
