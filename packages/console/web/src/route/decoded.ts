// Text out of an address, which anybody may have written.

/** As it stands there where it is not encoded as it should be: a stray % stays one. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
