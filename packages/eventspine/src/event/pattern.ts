// Patterns over event types: `*` stands for any run of characters, all else for itself. No regular expressions.

export function typeMatcher(pattern: string): (type: string) => boolean {
  const parts = pattern.split('*')
  const [first = '', ...rest] = parts
  if (rest.length === 0) return (type) => type === pattern
  const last = rest.pop() ?? ''
  return (type) => {
    if (!type.startsWith(first) || !type.endsWith(last) || type.length < first.length + last.length)
      return false
    let at = first.length
    for (const part of rest) {
      const found = type.indexOf(part, at)
      if (found < 0) return false
      at = found + part.length
    }
    return at <= type.length - last.length
  }
}
