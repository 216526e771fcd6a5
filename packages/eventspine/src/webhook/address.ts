// Which addresses a stranger may name: those of the public internet. What is not known to be public is not.
//   https://www.iana.org/assignments/iana-ipv4-special-registry  https://www.iana.org/assignments/iana-ipv6-special-registry
import { BlockList, isIP } from 'node:net'

const refused4 = blockList('ipv4', [
  ...['0.0.0.0/8', '10.0.0.0/8', '127.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'],
  // Carrier-grade NAT, behind which some clouds keep their metadata (100.100.100.200).
  '100.64.0.0/10',
  // Link-local, with the metadata of most clouds (169.254.169.254).
  '169.254.0.0/16',
  // Public by its number, and inside every machine of Azure the host's own service.
  '168.63.129.16/32',
  ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
])

/** Of IPv6 one eighth is given out at all. Unique local, link-local, loopback, multicast and local NAT64 lie outside of it. */
const given6 = blockList('ipv6', ['2000::/3'])

const refused6 = blockList('ipv6', [
  // Protocols, among them Teredo, which tunnels to any IPv4 address.
  '2001::/23',
  '2001:db8::/32',
  // 6to4: the IPv4 address within is where it goes.
  '2002::/16',
  '3fff::/20',
])

/** False for what is no address at all, and for one with a zone (`fe80::1%eth0`). */
export function isPublicAddress(address: string): boolean {
  const family = address.includes('%') ? 0 : isIP(address)
  if (family === 4) return !refused4.check(address, 'ipv4')
  if (family === 0) return false
  const within = embedded(address)
  if (within !== undefined) return isPublicAddress(within)
  return given6.check(address, 'ipv6') && !refused6.check(address, 'ipv6')
}

/** The IPv4 address that is meant by an IPv4-mapped one, or by one of the NAT64 prefix that all translators know. */
function embedded(address: string): string | undefined {
  const { hostname } = new URL(`http://[${address}]`)
  const parts = /^\[(?:::ffff:|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(hostname)
  if (parts === null) return undefined
  return parts
    .slice(1)
    .map((part) => Number.parseInt(part, 16))
    .flatMap((number) => [number >> 8, number & 255])
    .join('.')
}

function blockList(family: 'ipv4' | 'ipv6', subnets: readonly string[]): BlockList {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [network = '', bits] = subnet.split('/')
    list.addSubnet(network, Number(bits), family)
  }
  return list
}
