// JSON text from values, with what JSON.stringify never writes: raw literals, and keys that stand twice.

/** Written as it is. */
export class Raw {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** An object whose keys are written in this order, as often as they stand here. */
export class Pairs {
  readonly pairs: readonly (readonly [string, unknown])[]

  constructor(pairs: readonly (readonly [string, unknown])[]) {
    this.pairs = pairs
  }
}

export function textOf(value: unknown): string {
  if (value instanceof Raw) return value.text
  if (value instanceof Pairs) return objectText(value.pairs)
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`
  if (typeof value === 'object' && value !== null) return objectText(Object.entries(value))
  return JSON.stringify(value) ?? 'null'
}

const objectText = (pairs: readonly (readonly [string, unknown])[]) =>
  `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${textOf(value)}`).join(',')}}`
