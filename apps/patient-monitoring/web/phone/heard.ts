// When the ward has said last what there is for this phone: what it has kept is from then, also behind a reload without a network.

const name = 'ward-heard-at'

export const noteHeard = (ms: number) => localStorage.setItem(name, String(ms))
export const forgetHeard = () => localStorage.removeItem(name)

/** Null where it has not. */
export function heardAtMs(): number | null {
  const text = localStorage.getItem(name)
  return text === null ? null : Number(text)
}
