// The version of the library, as workers report it.
export const version = '0.1.0'
