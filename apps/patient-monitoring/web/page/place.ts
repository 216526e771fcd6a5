// What the address of a page names. One that is not written as addresses are names nothing, and the server says so.

const partInPath = (): string => {
  try {
    return decodeURIComponent(location.pathname.split('/')[2] ?? '')
  } catch {
    return ''
  }
}

/** Of `/wards/{ward}` and what lies below it. */
export const wardInPath = partInPath
/** Of `/beds/{bed}`. */
export const bedInPath = partInPath
