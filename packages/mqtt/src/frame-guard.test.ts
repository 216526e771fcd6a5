import { expect, it } from 'vitest'
import { FrameGuard } from './frame-guard.js'

const packet = (length: number) => {
  const header = [0x30]
  for (let rest = length; ; ) {
    const byte = rest % 128
    rest = Math.floor(rest / 128)
    header.push(rest > 0 ? byte | 0x80 : byte)
    if (rest === 0) break
  }
  return Buffer.concat([Buffer.from(header), Buffer.alloc(length, 0xff)])
}
const admits = (bytes: Buffer, sizes: number, most: number) => {
  const guard = new FrameGuard(most)
  for (let at = 0; at < bytes.length; at += sizes)
    if (!guard.admits(bytes.subarray(at, at + sizes))) return false
  return true
}

it('follows packets of every length, however they are cut', () => {
  const all = Buffer.concat([0, 1, 127, 128, 300, 16_383, 16_384, 0, 20_000].map(packet))
  for (const sizes of [1, 2, 3, 7, 1_000, all.length]) {
    expect(admits(all, sizes, 20_000)).toBe(true)
    expect(admits(all, sizes, 19_999)).toBe(false)
  }
})

it('refuses a length as soon as it is known, and what is none', () => {
  expect(new FrameGuard(1_000).admits(Buffer.from([0x10, 0xe9, 0x07]))).toBe(false)
  expect(new FrameGuard(1_000).admits(Buffer.from([0x10, 0xe8, 0x07]))).toBe(true)
  // Of five bytes, four of which go on.
  expect(new FrameGuard(2 ** 40).admits(Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff]))).toBe(false)
})
