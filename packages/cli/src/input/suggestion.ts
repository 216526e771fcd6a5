// "Did you mean": the nearest known name.

/** The candidate within a third of `wanted`'s length in edits, nearest first. */
function closest(wanted: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((name) => ({ name, distance: edits(wanted, name) }))
    .sort((a, b) => a.distance - b.distance)
  const [best] = ranked
  return best !== undefined && best.distance <= Math.max(1, Math.floor(wanted.length / 3))
    ? best.name
    : undefined
}

function edits(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const changed = (before[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(changed, (before[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    before = row
  }
  return before[b.length] ?? 0
}

const namesShownMax = 12

/** A sentence: the nearest name, else those that there are. */
export function suggestion(wanted: string, candidates: readonly string[]): string {
  const near = closest(wanted.slice(0, 200), candidates)
  if (near !== undefined) return `Did you mean "${near}"?`
  if (candidates.length === 0) return 'There is none yet.'
  const more = candidates.length > namesShownMax ? ` and ${candidates.length - namesShownMax} more` : ''
  return `There are: ${candidates.slice(0, namesShownMax).join(', ')}${more}.`
}
