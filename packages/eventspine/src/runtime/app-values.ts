// What all parts of an app's definition have in common: lists of what was made by a function, names, and options.

/** The values of a list that the named function made; anything else is a fault. */
export function madeBy<Value extends { readonly kind: string }>(
  maker: string,
  kind: Value['kind'],
  values: readonly Value[] | undefined,
  fault: (message: string) => void,
): readonly Value[] {
  if (values !== undefined && !Array.isArray(values)) {
    fault(`"${kind}s" must be a list; write ${kind}s: [ … ]`)
    return []
  }
  return (values ?? []).filter((value: Value | undefined, index) => {
    if (value?.kind === kind) return true
    fault(`${kind}s[${index}] is not made by ${maker}({ … })`)
    return false
  })
}

export const isName = (name: unknown) => typeof name === 'string' && /^[a-z0-9][a-z0-9-]{0,99}$/.test(name)
export const nameRule =
  'lower-case letters, digits and dashes, at most 100 characters, such as "reserve-stock"'

export const isObject = <Value>(value: Value): value is Value & object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const printed = (value: unknown) =>
  isObject(value) || Array.isArray(value) ? JSON.stringify(value) : String(value)

/** Where a subscription may begin. */
export const isStart = (start: unknown) =>
  start instanceof Date ? !Number.isNaN(start.getTime()) : start === 'beginning' || start === 'now'
