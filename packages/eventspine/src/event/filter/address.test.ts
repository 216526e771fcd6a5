// Address blocks: the boundaries of each prefix length, the forms of IPv6, and what is no address.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileCidr } from './address.js'
import { FilterError } from './error.js'

const four = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')

const members: readonly (readonly [string, string, boolean])[] = [
  ['10.0.0.0/24', '10.0.0.0', true],
  ['10.0.0.0/24', '10.0.0.255', true],
  ['10.0.0.0/24', '10.0.1.0', false],
  ['10.0.0.77/24', '10.0.0.1', true],
  ['10.0.0.7/32', '10.0.0.7', true],
  ['10.0.0.7/32', '10.0.0.8', false],
  ['0.0.0.0/0', '255.255.255.255', true],
  ['0.0.0.0/0', '::1', false],
  ['::/0', '10.0.0.1', false],
  ['::/0', 'fe80::1', true],
  ['2001:db8::/32', '2001:db8:ffff::1', true],
  ['2001:db8::/32', '2001:0DB8:0:0:0:0:0:1', true],
  ['2001:db8::/32', '2001:db9::1', false],
  ['2001:db8::8000/113', '2001:db8::ffff', true],
  ['2001:db8::8000/113', '2001:db8::7fff', false],
  ['::1/128', '::1', true],
  ['10.0.0.0/8', '::ffff:10.1.2.3', true],
  ['::ffff:10.0.0.0/104', '10.1.2.3', true],
  ['64:ff9b::/96', '64:ff9b::10.1.2.3', true],
]

describe('cidr', () => {
  it.each(members)('%s and %s: %s', (block, address, inside) => {
    expect(compileCidr(block, '')(address)).toBe(inside)
  })

  it.each([
    '',
    'example.org',
    '10.0.0',
    '10.0.0.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '10.0.0.1 ',
    '1e1.0.0.1',
    '::g',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '1.2.3.4::',
    'fe80::1%eth0',
    '12345::',
    ':1',
    '1:',
    ':'.repeat(5_000),
  ])('%j is in no block', (text) => {
    expect(compileCidr('0.0.0.0/0', '')(text)).toBe(false)
    expect(compileCidr('::/0', '')(text)).toBe(false)
  })

  it.each([
    '',
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '::/129',
    '10.0.0.0/+8',
    '10.0.0.0/08',
    'x/8',
    '::ffff:10.0.0.0/95',
  ])('refuses the block %j', (block) => {
    expect(() => compileCidr(block, 'ip[0].cidr')).toThrow(FilterError)
  })

  it('agrees with arithmetic for every IPv4 block', () => {
    const address = fc.integer({ min: 0, max: 2 ** 32 - 1 })
    fc.assert(
      fc.property(
        address,
        fc.integer({ min: 0, max: 32 }),
        fc.integer({ min: 0, max: 32 }),
        (base, bits, flipped) => {
          const value = flipped === 32 ? base : (base ^ (1 << flipped)) >>> 0
          const size = 2 ** (32 - bits)
          const inside = Math.floor(base / size) === Math.floor(value / size)
          expect(compileCidr(`${four(base)}/${bits}`, '')(four(value))).toBe(inside)
        },
      ),
    )
  })
})
