// Server-sent events out of pieces of text, as this server writes them: lines end in \n, a message is one line of data.

export interface Message {
  /** What is not named otherwise is a `message`. */
  readonly type: string
  readonly data: string
  /** Where a reader that lost its connection goes on; undefined where the stream has no places. */
  readonly id: string | undefined
}

/** Of one that has not ended yet: more is no stream of this server. */
const messageCharactersMax = 8 * 1024 * 1024

export class Messages {
  #rest = ''

  /** Those that end in this piece. Comments are none. Throws RangeError at what is too long. */
  take(piece: string): readonly Message[] {
    const blocks = (this.#rest + piece).split('\n\n')
    this.#rest = blocks.pop() ?? ''
    if (this.#rest.length > messageCharactersMax)
      throw new RangeError('A message of the stream does not end.')
    return blocks.flatMap(messageOf)
  }
}

function messageOf(block: string): readonly Message[] {
  const lines = block.split('\n')
  const valueOf = (field: string) =>
    lines.find((line) => line.startsWith(`${field}: `))?.slice(field.length + 2)
  const data = valueOf('data')
  return data === undefined ? [] : [{ type: valueOf('event') ?? 'message', data, id: valueOf('id') }]
}
