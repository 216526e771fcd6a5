// Where a message may go: every special range in every notation, names that change their mind, and what a URL may hold.
import { describe, expect, it } from 'vitest'
import { isPublicAddress } from './address.js'
import { nameServer } from './name-server.fixture.js'
import { askingNameServers, judgedUrl, type NetworkOptions, TargetRefused, targetOf } from './target.js'

const special4 = [
  ...[
    '0.0.0.0',
    '0.255.255.255',
    '10.0.0.1',
    '10.255.255.255',
    '100.64.0.1',
    '100.127.255.255',
    '100.100.100.200',
  ],
  ...['127.0.0.1', '127.255.255.254', '169.254.0.1', '169.254.169.254', '169.254.170.2', '168.63.129.16'],
  ...['172.16.0.1', '172.31.255.255', '192.0.0.1', '192.0.0.192', '192.0.2.1', '192.88.99.1', '192.168.0.1'],
  ...['192.168.255.255', '198.18.0.1', '198.19.255.255', '198.51.100.1', '203.0.113.1', '224.0.0.1'],
  ...['239.255.255.255', '240.0.0.1', '255.255.255.255'],
]
const public4 = [
  ...['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255'],
  ...[
    '128.0.0.1',
    '169.253.255.255',
    '169.255.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.0',
    '192.167.255.255',
  ],
  ...['192.169.0.0', '198.17.255.255', '198.20.0.0', '203.0.112.255', '203.0.114.0', '223.255.255.255'],
  '168.63.129.15',
]
const special6 = [
  ...['::', '::1', '::2', '::10.0.0.1', '::8.8.8.8', 'fc00::1', 'fd00:ec2::254', 'fdff:ffff::1', 'fe80::1'],
  ...['febf::1', 'fec0::1', 'ff02::1', 'ff0e::1', '100::1', '2001::1', '2001:0:4136:e378::1', '2001:10::1'],
  ...[
    '2001:20::1',
    '2001:db8::1',
    '2002::1',
    '2002:7f00:1::1',
    '2002:808:808::1',
    '3fff::1',
    '5f00::1',
    '4000::1',
  ],
  ...[
    '64:ff9b:1::1',
    '64:ff9b:1:ffff::8.8.8.8',
    '64:ff9b::1',
    '::ffff:0:127.0.0.1',
    '::ffff:0:8.8.8.8',
    '1::1',
  ],
]
const public6 = [
  '2606:4700:4700::1111',
  '2a00:1450:4001::1',
  '2001:4860:4860::8888',
  '2400:cb00::1',
  '2600::1',
]

const bytesOf = (address: string) => address.split('.').map(Number)
const numberOf = (address: string) => bytesOf(address).reduce((sum, byte) => sum * 256 + byte, 0)
const hex = (value: number) => value.toString(16)
const octal = (value: number) => `0${value.toString(8)}`
const groups = (address: string) => {
  const [a = 0, b = 0, c = 0, d = 0] = bytesOf(address)
  return `${hex(a * 256 + b)}:${hex(c * 256 + d)}`
}

/** Ways to write an IPv4 address that some client, somewhere, takes for it. */
const notations: Readonly<Record<string, (address: string) => string>> = {
  dotted: (address) => address,
  'with a last dot': (address) => `${address}.`,
  'one number': (address) => String(numberOf(address)),
  hexadecimal: (address) => `0x${hex(numberOf(address))}`,
  octal: (address) => octal(numberOf(address)),
  'hexadecimal bytes': (address) =>
    bytesOf(address)
      .map((byte) => `0x${hex(byte)}`)
      .join('.'),
  'octal bytes': (address) => bytesOf(address).map(octal).join('.'),
  'two parts': (address) => `${bytesOf(address)[0]}.${numberOf(address) % 2 ** 24}`,
  'hexadecimal and two parts': (address) =>
    `0x${hex(bytesOf(address)[0] ?? 0)}.${numberOf(address) % 2 ** 24}`,
  'three parts': (address) => {
    const [a, b] = bytesOf(address)
    return `${a}.${b}.${numberOf(address) % 65_536}`
  },
  'percent signs': (address) => [...address].map((sign) => `%${hex(sign.charCodeAt(0))}`).join(''),
  'full width': (address) => address.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit))),
  mapped: (address) => `[::ffff:${address}]`,
  'mapped, in groups': (address) => `[::ffff:${groups(address)}]`,
  'mapped, in full': (address) => `[0:0:0:0:0:ffff:${groups(address)}]`,
  NAT64: (address) => `[64:ff9b::${groups(address)}]`,
}

const refusal = (url: string, options: NetworkOptions = {}) => {
  try {
    return judgedUrl(url, options).href
  } catch (error) {
    return error instanceof TargetRefused ? 'refused' : error
  }
}

describe('addresses', () => {
  it('tells special ones from public ones, to the last of each range', () => {
    expect(special4.filter(isPublicAddress)).toEqual([])
    expect(special6.filter(isPublicAddress)).toEqual([])
    expect(public4.filter((address) => !isPublicAddress(address))).toEqual([])
    expect(public6.filter((address) => !isPublicAddress(address))).toEqual([])
  })

  it('judges what is mapped or translated by what is within', () => {
    for (const before of ['::ffff:', '64:ff9b::', '0:0:0:0:0:ffff:']) {
      expect(special4.filter((address) => isPublicAddress(before + address))).toEqual([])
      expect(public4.filter((address) => !isPublicAddress(before + address))).toEqual([])
    }
  })

  it('takes no zone, and nothing that is no address', () => {
    for (const text of ['2606:4700:4700::1111%eth0', '', 'localhost', '1.1.1', '1.1.1.1.1', '0x7f.1'])
      expect(isPublicAddress(text)).toBe(false)
  })
})

describe('URLs', () => {
  it('that name a special address are refused in whatever notation', () => {
    const urls = Object.values(notations).flatMap((write) =>
      special4.map((each) => `https://${write(each)}/hook`),
    )
    urls.push(...special6.map((each) => `https://[${each}]/hook`))
    expect(urls.length).toBeGreaterThan(450)
    // One that is no URL is refused as well.
    expect(urls.filter((url) => refusal(url) !== 'refused')).toEqual([])
  })

  it('that name a public one are taken, in the notations that are URLs', () => {
    const refused = (write: (address: string) => string) =>
      public4.filter((each) => refusal(`https://${write(each)}/hook`) === 'refused')
    const all = Object.entries(notations).map(([name, write]) => [name, refused(write)])
    expect(Object.fromEntries(all)).toEqual(Object.fromEntries(all.map(([name]) => [name, []])))
    expect(public6.filter((each) => refusal(`https://[${each}]/hook`) === 'refused')).toEqual([])
  })

  it.each([
    ['http://example.com/', {}],
    ['ftp://example.com/', { allowHttp: true }],
    ['file:///etc/passwd', { allowHttp: true, allowPrivate: true }],
    ['gopher://example.com/', {}],
    ['https://user@example.com/', {}],
    ['https://:password@example.com/', {}],
    ['https://example.com:22/', {}],
    ['https://example.com:80/', {}],
    ['http://example.com:6379/', { allowHttp: true }],
    ['https://example.com:8443/', { ports: [443] }],
    ['//example.com/', {}],
    ['example.com', {}],
    ['https://', {}],
    [`https://example.com/${'a'.repeat(2_000)}`, {}],
  ] as const)('refuses %s', (url, options) => {
    expect(refusal(url, options)).toBe('refused')
  })

  it.each([
    ['https://example.com/', {}],
    ['https://example.com:8443/a?b=c', {}],
    ['http://example.com/', { allowHttp: true }],
    ['https://example.com:9000/', { ports: [9_000] }],
    ['http://127.0.0.1:1234/', { allowHttp: true, allowPrivate: true, ports: 'any' }],
  ] as const)('takes %s', (url, options) => {
    expect(refusal(url, options)).toBe(url)
  })
})

describe('names', () => {
  const asked = async (...addresses: string[]) =>
    (await targetOf('https://customer.example/', {}, async () => addresses)).addresses.map(
      ({ address }) => address,
    )

  it('are taken with all their addresses, at most eight', async () => {
    expect(await asked('1.1.1.1', '2606:4700:4700::1111')).toEqual(['1.1.1.1', '2606:4700:4700::1111'])
    expect(await asked(...Array.from({ length: 20 }, (_, n) => `8.8.8.${n}`))).toHaveLength(8)
  })

  it('are refused for one address that is not public, wherever it stands', async () => {
    for (const special of [...special4, ...special6]) {
      await expect(asked(special)).rejects.toThrow(TargetRefused)
      await expect(asked('1.1.1.1', special)).rejects.toThrow(special)
      await expect(asked(...Array.from({ length: 12 }, () => '1.1.1.1'), special)).rejects.toThrow(
        TargetRefused,
      )
    }
  })

  it('that change their mind are judged by the answer that is used', async () => {
    const answers = [['1.1.1.1'], ['127.0.0.1']]
    const rebinding = async () => answers.shift() ?? []
    const { addresses } = await targetOf('https://customer.example/', {}, rebinding)
    // The second answer is never asked for.
    expect(addresses).toEqual([{ address: '1.1.1.1', family: 4 }])
    expect(answers).toHaveLength(1)
    await expect(targetOf('https://customer.example/', {}, rebinding)).rejects.toThrow('127.0.0.1')
  })

  it('are asked of a name server once, and judged by what it says then', async () => {
    let questions = 0
    // It changes its mind at each question, and lets no answer live.
    const server = await nameServer((host) => {
      if (host === 'unknown.example') return null
      if (host === 'both.example') return ['1.1.1.1', '10.0.0.1']
      return ++questions % 2 === 0 ? ['127.0.0.1'] : ['1.1.1.1', '8.8.8.8']
    })
    const resolve = askingNameServers([server.address])
    const target = (host: string) => targetOf(`https://${host}/`, {}, resolve)
    try {
      for (const round of Array(20).keys()) {
        if (round % 2 === 1) await expect(target('rebinding.example')).rejects.toThrow('127.0.0.1')
        else
          expect((await target('rebinding.example')).addresses.map(({ address }) => address)).toEqual([
            ...['1.1.1.1', '8.8.8.8'],
          ])
      }
      expect(server.asked.get('rebinding.example')).toBe(20)
      await expect(target('both.example')).rejects.toThrow('10.0.0.1')
      await expect(target('unknown.example')).rejects.toMatchObject({ code: 'ENOTFOUND' })
    } finally {
      await server.close()
    }
  })

  it('without an address, or that nobody answers for, are no fault of the URL', async () => {
    await expect(asked()).rejects.not.toThrow(TargetRefused)
    const away = Promise.reject(new Error('SERVFAIL'))
    await expect(targetOf('https://customer.example/', {}, () => away)).rejects.toThrow('SERVFAIL')
  })
})
