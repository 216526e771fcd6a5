// Percentiles of what was measured, and the moment that is in the name of an alarm.

/** The smallest value that at least this share does not exceed; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** When the reading was taken that made it an alarm: `7.pulse-high.20260101T003700.000Z`, in ms since 1970. */
export function momentOf(alarm: string): number {
  const stamp = alarm.split('.').slice(2).join('.')
  const [, year, month, day, hour, minute, rest] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3}Z)$/.exec(stamp) ?? []
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${rest}`)
}
