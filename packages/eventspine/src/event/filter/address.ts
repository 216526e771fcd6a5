// The `cidr` operator: whether an address in the event lies in a block, for IPv4 and IPv6.
// An address is a list of 16-bit words, two for IPv4 and eight for IPv6, so a block never crosses the families. An
// IPv4-mapped IPv6 address (::ffff:10.0.0.1) counts as the IPv4 address that it is.
import { FilterError, show } from './error.js'

const groupPattern = /^[0-9a-fA-F]{1,4}$/
const octetPattern = /^(?:0|[1-9][0-9]{0,2})$/
const prefixPattern = /^(?:0|[1-9][0-9]{0,2})$/
/** Longest address text: eight groups, the last two written as IPv4. */
const addressCharactersMax = 45
const mappedBits = 96

/**
 * A test for one block such as `10.0.0.0/24` or `2001:db8::/32`. Bits of the address beyond the prefix are ignored, as
 * networks do; values that are not an address do not match.
 * @throws FilterError when the block cannot be read.
 */
export function compileCidr(block: string, path: string): (value: string) => boolean {
  const [address = '', prefix = '', ...rest] = block.split('/')
  const words = parseAddress(address)
  const mapped = words?.length === 2 && address.includes(':')
  const bits = prefixPattern.test(prefix) ? Number(prefix) - (mapped ? mappedBits : 0) : -1
  if (words === undefined || rest.length > 0 || bits < 0 || bits > words.length * 16) {
    throw new FilterError(
      path,
      `has ${show(block)}, which is no address block; write "10.0.0.0/24" or "2001:db8::/32"`,
    )
  }
  return (value) => {
    const candidate = parseAddress(value)
    return candidate !== undefined && sharesPrefix(candidate, words, bits)
  }
}

function sharesPrefix(left: readonly number[], right: readonly number[], bits: number): boolean {
  if (left.length !== right.length) return false
  for (let at = 0, remaining = bits; remaining > 0; at += 1, remaining -= 16) {
    const mask = remaining >= 16 ? 0xffff : (0xffff << (16 - remaining)) & 0xffff
    if ((((left[at] ?? 0) ^ (right[at] ?? 0)) & mask) !== 0) return false
  }
  return true
}

function parseAddress(text: string): readonly number[] | undefined {
  if (text.length > addressCharactersMax) return undefined
  if (!text.includes(':')) return parseFour(text)
  const words = parseSix(text)
  const mapped = words?.every((word, at) => at > 5 || word === (at === 5 ? 0xffff : 0)) === true
  return mapped ? words?.slice(6) : words
}

/** Decimal only: an octet with a leading zero is read as octal by some and as decimal by others, so it is no address. */
function parseFour(text: string): readonly number[] | undefined {
  const octets = text.split('.')
  if (octets.length !== 4) return undefined
  const [a, b, c, d] = octets.map((octet) => (octetPattern.test(octet) ? Number(octet) : 256))
  if (a === undefined || b === undefined || c === undefined || d === undefined) return undefined
  if (a > 255 || b > 255 || c > 255 || d > 255) return undefined
  return [a * 256 + b, c * 256 + d]
}

function parseSix(text: string): readonly number[] | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = parseGroups(halves[0] ?? '', halves.length === 1)
  if (halves.length === 1) return head?.length === 8 ? head : undefined
  const tail = parseGroups(halves[1] ?? '', true)
  if (head === undefined || tail === undefined || head.length + tail.length > 7) return undefined
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail]
}

function parseGroups(text: string, isLast: boolean): readonly number[] | undefined {
  if (text === '') return []
  const words: number[] = []
  const groups = text.split(':')
  for (const [at, group] of groups.entries()) {
    const four = isLast && at === groups.length - 1 && group.includes('.') ? parseFour(group) : undefined
    if (four !== undefined) words.push(...four)
    else if (groupPattern.test(group)) words.push(Number.parseInt(group, 16))
    else return undefined
  }
  return words
}
