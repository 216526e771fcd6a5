// Where the catalogue's bugs are planted and where they are caught, in few words.
import type { Edit, NamedTest } from '../mutant.js'

const library = 'packages/eventspine'

/** `find` in this file of the library's source becomes `replace`. */
export const edit = (file: string, find: string, replace: string): Edit => ({
  file: `${library}/src/${file}`,
  find,
  replace,
})

/** The suite that every store passes, on Postgres. */
export const conformance = (name: string): NamedTest => ({
  test: `${library}/src/store/conformance/postgres.pg.test.ts`,
  name,
})

/** A test beside the Postgres store's source. */
export const postgres = (file: string, name: string): NamedTest => ({
  test: `${library}/src/store/postgres/${file}`,
  name,
})

/** A test of the library as a whole. */
export const whole = (file: string, name: string): NamedTest => ({
  test: `${library}/test/${file}`,
  name,
})

/** A test beside the source of the library. */
export const beside = (file: string, name: string): NamedTest => ({
  test: `${library}/src/${file}`,
  name,
})
