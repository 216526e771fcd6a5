// Who a connection of the broker is.

/** What a client says of itself when it connects. */
export interface Credentials {
  readonly clientId: string
  readonly username: string | undefined
  readonly password: string | undefined
  /** IP address. */
  readonly address: string | undefined
}

export interface Device {
  /** A level of a topic: no `/`, `+` or `#`; at most 100 characters. */
  readonly id: string
  /** What else the translation needs of it, such as its tenant: headers of each of its messages. No secrets: people see them. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Why it cannot be one; undefined for one that can. */
export function faultOf(device: unknown): string | undefined {
  const { id } = (device ?? {}) as { readonly id?: unknown }
  if (typeof id !== 'string' || !/^[^/+#\p{Cc}$][^/+#\p{Cc}]{0,99}$/u.test(id))
    return `a device needs an id of 1 to 100 characters without / + # and controls, and this one has ${JSON.stringify(id)}`
  return undefined
}
