// How long a packet says that it is, before it is there: the parser behind would wait for all of up to 256 MB, from anybody
// who can connect.

/** Bits of a length that go on in the next byte, and the most bytes that it has. */
const more = 0x80
const lengthBytesMax = 4

export class FrameGuard {
  readonly #bytesMax: number
  /** What is left of the packet. */
  #rest = 0
  /** Bytes of the fixed header that were seen: 0 before the first. */
  #seen = 0
  #length = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** False where a packet is longer than it may be, or its length is none. */
  admits(chunk: Uint8Array): boolean {
    for (let at = 0; at < chunk.length; ) {
      if (this.#rest > 0) {
        const taken = Math.min(this.#rest, chunk.length - at)
        this.#rest -= taken
        at += taken
      } else if (!this.#header(chunk[at++] as number)) return false
    }
    return true
  }

  #header(byte: number): boolean {
    if (this.#seen++ === 0) return true
    this.#length += (byte & ~more) * 128 ** (this.#seen - 2)
    if (byte >= more) return this.#seen <= lengthBytesMax
    if (this.#length > this.#bytesMax) return false
    this.#rest = this.#length
    this.#seen = this.#length = 0
    return true
  }
}
