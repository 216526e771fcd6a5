import { expect, test } from 'vitest'
import {
  type PartitionPlan,
  partitionsToMake,
  partitionWidth,
  widthXidsMax,
  widthXidsMin,
} from './partitions.js'

const days = 86_400_000
const plan = (options: Partial<PartitionPlan>): PartitionPlan => ({
  epoch: 1,
  partitions: [],
  xidMin: 1_000_000,
  xidNext: 1_000_000,
  xidsPerSecond: 0,
  width: widthXidsMin,
  ...options,
})

test('a partition takes its share of the retention at the measured rate, and at least an hour', () => {
  expect(partitionWidth(0, 30 * days)).toBe(widthXidsMin)
  expect(partitionWidth(100, 30 * days)).toBe(2 ** 22)
  expect(partitionWidth(100, days)).toBe(2 ** 18)
  expect(partitionWidth(1_000, days)).toBe(2 ** 22)
  expect(partitionWidth(1e9, 30 * days)).toBe(widthXidsMax)
})

test('some dozens of partitions hold the retention at any usual rate', () => {
  for (const rate of [1, 10, 100, 500, 1_000, 1_500]) {
    expect((rate * 30 * 86_400) / partitionWidth(rate, 30 * days)).toBeLessThan(100)
  }
})

test('the first partition begins before the oldest open transaction, and they leave no gap', () => {
  const made = partitionsToMake(plan({ xidMin: 900_000 }))
  expect(made[0]).toMatchObject({ name: 'event_1_786432', from: 786_432, until: 786_432 + widthXidsMin })
  made.slice(1).forEach((partition, index) => {
    expect(partition.from).toBe(made[index]?.until)
  })
  expect(made.at(-1)?.until).toBeGreaterThanOrEqual(1_000_000 + 2 ** 21)
})

test('what is ahead already is not made again, whatever its width', () => {
  const partitions = [{ name: 'a', epoch: 1, from: 0, until: 4_000_000 }]
  expect(partitionsToMake(plan({ partitions }))).toEqual([])
  expect(partitionsToMake(plan({ partitions, width: 2 ** 20 }))[0]).toMatchObject({
    from: 4_000_000,
    until: 4_000_000 + 2 ** 20,
  })
  const busy = partitionsToMake(plan({ partitions, xidsPerSecond: 20_000, width: 2 ** 24 }))
  expect(busy.at(-1)?.until).toBeGreaterThan(1_000_000 + 20_000 * 900)
})

test('a call makes a bounded number', () => {
  expect(partitionsToMake(plan({ xidsPerSecond: 1e6 }))).toHaveLength(16)
})
