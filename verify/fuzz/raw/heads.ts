// Broken heads of requests: request lines, headers, floods. `[name, bytes, statuses below 400 that may come back]`.

type Head = readonly [name: string, bytes: string | Buffer, may?: readonly number[]]

// What Node's parser lets pass, and nobody can be harmed by.
const lenient: ReadonlySet<string> = new Set([
  'GET  /healthz HTTP/1.1',
  'GET /healthz  HTTP/1.1',
  'GET /healthz HTTP/2.0',
  'GET /healthz',
  'GET * HTTP/1.1',
])

const requestLines: readonly string[] = [
  'get /healthz HTTP/1.1',
  'GET  /healthz HTTP/1.1',
  'GET /healthz  HTTP/1.1',
  'GET\t/healthz\tHTTP/1.1',
  ' GET /healthz HTTP/1.1',
  'GET /healthz HTTP/1.1 ',
  'GET /healthz HTTP/2.0',
  'GET /healthz HTTP/9.9',
  'GET /healthz HTTP/1.10',
  'GET /healthz HTTP/-1.1',
  'GET /healthz http/1.1',
  'GET /healthz HTTPS/1.1',
  'GET /healthz FTP/1.1',
  'GET /healthz',
  'GET',
  'GET healthz HTTP/1.1',
  'GET \\healthz HTTP/1.1',
  'GET /heal\0thz HTTP/1.1',
  'GET /heal\u0001thz HTTP/1.1',
  'GET /heal\u007fthz HTTP/1.1',
  'GET /h\u00e4lth HTTP/1.1',
  'GET ?healthz HTTP/1.1',
  'GET # HTTP/1.1',
  'GET * HTTP/1.1',
  'GET :80 HTTP/1.1',
  'GET //evil.example/healthz HTTP/1.1',
  'GET http:// HTTP/1.1',
  'GET http://[::1 HTTP/1.1',
  'GET http://user:pass@evil.example/v1/doctor HTTP/1.1',
  'GET http://evil.example:99999/ HTTP/1.1',
  'GET file:///etc/passwd HTTP/1.1',
  'GET javascript:alert(1) HTTP/1.1',
  'CONNECT 169.254.169.254:80 HTTP/1.1',
  'CONNECT / HTTP/1.1',
  'BREW /healthz HTTP/1.1',
  'G\0T /healthz HTTP/1.1',
  `${'A'.repeat(100)} /healthz HTTP/1.1`,
  'TRACE /healthz HTTP/1.1',
  'M-SEARCH * HTTP/1.1',
  'PRI * HTTP/2.0',
  'SOURCE /healthz HTTP/1.1',
  'PURGE /healthz HTTP/1.1',
]

export function brokenLines(host: string): Head[] {
  const health = (line: string, more = '') => `${line}\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`
  return [
    ...requestLines.map(
      (line): Head => [JSON.stringify(line.slice(0, 60)), health(line), lenient.has(line) ? [200] : []],
    ),
    ['HTTP/1.0', health('GET /healthz HTTP/1.0'), [200]],
    ['HTTP/0.9', 'GET /\r\n'],
    ['absolute, own host', health(`GET http://${host}/healthz HTTP/1.1`), [200]],
    ['OPTIONS *', health('OPTIONS * HTTP/1.1'), [204]],
    ['preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0'],
    [
      'upgrade to h2c',
      health('GET /healthz HTTP/1.1', 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'),
      [200],
    ],
    [
      'upgrade to a web socket',
      health('GET /healthz HTTP/1.1', 'Upgrade: websocket\r\nSec-WebSocket-Key: x\r\n'),
      [200],
    ],
    ['TLS', Buffer.from('16030100a5010000a10303', 'hex')],
    ['a proxy in front', `PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n${health('GET /healthz HTTP/1.1')}`],
    ['rubbish', Buffer.from([0, 1, 2, 3, 255, 254, 10, 13, 10, 13])],
    ['all bytes', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
    ...brokenHeaders(host),
  ]
}

function brokenHeaders(host: string): Head[] {
  const headers = [
    ': no name',
    'no colon',
    'Space : x',
    'Na\0me: x',
    'Na(me: x',
    'N\u00e4me: x',
    'X: a\0b',
    'X: a\rb',
    'X: a\nb',
    'X: a\r\n folded',
    'X: a\r\n\tfolded',
    '\tX: y',
    'X: \u0001',
    'X: \u001b[31m',
    'X:',
    'X: \u00ff\u00fe',
    'Host: evil.example',
    'Host: ',
    'Content-Length: x',
    'Connection: close, keep-alive',
    'Connection: Host',
    'Keep-Alive: timeout=999999999',
    'Max-Forwards: 0',
    'Via: 1.1 evil',
  ]
  const fine = new Set([
    'X:',
    'X: \u00ff\u00fe',
    'Connection: close, keep-alive',
    'Connection: Host',
    'Keep-Alive: timeout=999999999',
    'Max-Forwards: 0',
    'Via: 1.1 evil',
  ])
  const request = (lines: string) => `GET /healthz HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`
  return [
    ...headers.map(
      (header): Head => [
        `header ${JSON.stringify(header)}`,
        request(`Host: ${host}\r\n${header}\r\n`),
        fine.has(header) ? [200] : [],
      ],
    ),
    ...[
      'evil.example',
      '',
      ' ',
      '127.0.0.1.evil.example',
      '127.0.0.1@evil.example',
      '127.0.0.1:x',
      '127.0.0.1:999999',
      '[::1',
      '0x7f.1',
      '127.1',
      'localhost.',
      `${host}/x`,
      `${host},evil`,
      `${host}\\x`,
      '\u00e4',
    ].map((name): Head => [`Host: ${name}`, request(`Host: ${name}\r\n`)]),
    ['no Host', request('')],
    ['Host in capitals', request(`HOST: ${host.replace('127.0.0.1', 'LOCALHOST')}\r\n`), [200]],
    ['line feeds only', `GET /healthz HTTP/1.1\nHost: ${host}\n\n`],
    ['carriage returns only', `GET /healthz HTTP/1.1\rHost: ${host}\r\r`],
  ]
}

export function floods(host: string): Head[] {
  const request = (target: string, headers: string) =>
    `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${headers}Connection: close\r\n\r\n`
  return [
    ['a URL of 15 KiB', request(`/healthz?${'x'.repeat(15_000)}`, ''), []],
    ['a URL of 20 KiB', request(`/${'x'.repeat(20_000)}`, '')],
    ['a URL of 1 MiB', request(`/${'x'.repeat(1_048_576)}`, '')],
    ['a URL of slashes', request('/'.repeat(10_000), '')],
    ['a URL of dots', request('/..'.repeat(5_000), '')],
    ['a URL of percent signs', request(`/${'%'.repeat(10_000)}`, '')],
    ['a URL of encoded slashes', request(`/v1/events/${'%2f'.repeat(900)}`, '')],
    ['a URL of 3,000 parameters', request(`/healthz?${'a=b&'.repeat(3_000)}`, '')],
    ['2,000 headers', request('/healthz', 'a: b\r\n'.repeat(2_000)), [200]],
    ['20,000 headers', request('/healthz', 'a: b\r\n'.repeat(20_000))],
    ['a header of 15 KiB', request('/healthz', `X: ${'x'.repeat(15_000)}\r\n`), [200]],
    ['a header of 20 KiB', request('/healthz', `X: ${'x'.repeat(20_000)}\r\n`)],
    ['a header of 10 MiB', request('/healthz', `X: ${'x'.repeat(10_485_760)}\r\n`)],
    ['a header name of 20 KiB', request('/healthz', `${'X'.repeat(20_000)}: x\r\n`)],
    ['1,000 cookies', request('/healthz', `Cookie: ${'a=b;'.repeat(1_000)}\r\n`), [200]],
    ['a bearer of 10 KiB', request('/v1/events', `Authorization: Bearer ${'x'.repeat(10_000)}\r\n`)],
    ['a bearer of blanks', request('/v1/events', `Authorization: Bearer${' '.repeat(10_000)}\r\n`)],
    ['accepts 5,000 types', request('/healthz', `Accept: ${'a/b,'.repeat(3_500)}\r\n`), [200]],
    [
      'a content type of parameters',
      request('/healthz', `Content-Type: application/json${';a=b'.repeat(3_000)}\r\n`),
      [200],
    ],
  ]
}
