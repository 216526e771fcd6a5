// Why a connection to a broker ended, and what to do where that is known: what OpenSSL says of a certificate names no option.

const untrusted =
  'no authority that is trusted here has signed its certificate: give that of its authority as "tls.ca"'
const unknownToIt = 'it wants a certificate of ours that it trusts: give "tls.cert" and "tls.key"'

const noTls = 'it does not speak TLS there: is it another port, or "mqtt:" instead of "mqtts:"?'

/** By the codes of Node, which those of OpenSSL are among. */
const advice: Readonly<Record<string, string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_HAS_EXPIRED: 'its certificate has expired: it needs a new one, or the clock here is wrong',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: is the clock here right?',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'its certificate is for another name: connect to that name, or say it as "tls.servername"',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: unknownToIt,
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: unknownToIt,
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: unknownToIt,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
}

/** What Node says where a server hangs up on its greeting. It has no code of its own. */
const hungUp = /disconnected before secure TLS connection was established/

/** One line; `cause` keeps what was thrown. */
export function connectionFault(cause: Error | undefined): Error {
  const { code = '', message = '' } = (cause ?? {}) as { readonly code?: string; readonly message?: string }
  const said = message.trim() || code || 'it was closed'
  const known = hungUp.test(message) ? noTls : Object.hasOwn(advice, code) ? advice[code] : undefined
  // What comes from OpenSSL itself names its source files, and nothing that the code does not.
  const detail = message.includes(':error:') ? code : said
  const why = known === undefined ? said : `${known} (${detail})`
  return new Error(`The connection to the MQTT broker ended: ${why}.`, { cause })
}
