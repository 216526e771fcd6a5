/** `1 event`, `1,234,567 events`. `many`: where it is not `one` with an s. */
export const counted = (count: number, one: string, many = `${one}s`) =>
  `${grouped(count)} ${count === 1 ? one : many}`

/** `1,234,567` */
export const grouped = (count: number) => count.toLocaleString('en')
