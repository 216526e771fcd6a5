// Why a combination cannot be tried on this machine.

/** A part of a combination is not here, with what to do about it. */
export class Missing extends Error {
  override readonly name = 'Missing'
}
