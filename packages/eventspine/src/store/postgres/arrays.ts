// Arrays as parameters of a statement, in the binary format. As texts, which the driver would make of them, each element is
// escaped, joined and copied twice: half of what an append with ids cost the process.
// The format is that of `array_send`: dimensions, whether there are nulls, type of the elements, length, lower bound, elements.

const headerBytes = 20
const lengthBytes = 4
const utf8BytesMax = 3
/** Lengths say so of a null. */
const isNull = -1
const types = { bool: 16, int4: 23, text: 25, float8: 701 } as const

function begun(type: keyof typeof types, elements: number, nulls: boolean, bytes: number): Buffer {
  const array = Buffer.allocUnsafe(headerBytes + bytes)
  let at = array.writeInt32BE(1)
  at = array.writeInt32BE(nulls ? 1 : 0, at)
  at = array.writeInt32BE(types[type], at)
  at = array.writeInt32BE(elements, at)
  array.writeInt32BE(1, at)
  return array
}

export function textArray(values: readonly (string | null)[]): Buffer {
  let bytesMax = 0
  let nulls = 0
  for (const value of values) {
    if (value === null) nulls++
    bytesMax += lengthBytes + (value === null ? 0 : value.length * utf8BytesMax)
  }
  const array = begun('text', values.length, nulls > 0, bytesMax)
  let at = headerBytes
  for (const value of values) {
    const length = value === null ? isNull : array.write(value, at + lengthBytes)
    array.writeInt32BE(length, at)
    at += lengthBytes + Math.max(0, length)
  }
  return array.subarray(0, at)
}

/** As they are where one is none: the database refuses it then, and that event alone. */
export function int4Array(values: readonly number[]): Buffer | readonly number[] {
  if (!values.every((value) => (value | 0) === value)) return values
  const array = begun('int4', values.length, false, values.length * (lengthBytes + 4))
  let at = headerBytes
  for (const value of values) at = array.writeInt32BE(value, array.writeInt32BE(4, at))
  return array
}

export function float8Array(values: readonly number[]): Buffer {
  const array = begun('float8', values.length, false, values.length * (lengthBytes + 8))
  let at = headerBytes
  for (const value of values) at = array.writeDoubleBE(value, array.writeInt32BE(8, at))
  return array
}

export function boolArray(values: readonly boolean[]): Buffer {
  const array = begun('bool', values.length, false, values.length * (lengthBytes + 1))
  let at = headerBytes
  for (const value of values) at = array.writeUInt8(value ? 1 : 0, array.writeInt32BE(1, at))
  return array
}
