/** Case is folded by Unicode's rules, never by a locale's; the two lower-case sigmas of Greek are one letter. */
export function fold(value: string): string {
  return value.toLowerCase().replaceAll('ς', 'σ')
}
