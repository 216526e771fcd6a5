// Options that nobody knows: a typing error that would be a default otherwise, and, of `personal`, store in the clear.
import { EventspineError } from './errors.js'
import { closest } from './suggest.js'

/** Told with the name that it comes near to. */
export function unknownOptions(
  options: object,
  known: readonly string[],
  place: string,
  fault: (message: string) => void,
): void {
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue
    const near = closest(option, known)
    const hint = near === undefined ? `; there are ${known.join(', ')}` : `; did you mean "${near}"?`
    fault(`"${place}${option}" is no option${hint}`)
  }
}

/** Throws `APP_INVALID` where the options stand. `maker`: the function that takes them; `known`: all of them. */
export function checkOptions<Options extends object>(
  maker: string,
  options: Options,
  known: Readonly<Record<keyof Options, true>>,
): void {
  if (typeof options !== 'object' || options === null)
    throw new EventspineError('APP_INVALID', `${maker} takes options; write ${maker}({ … }).`)
  // What was made of options may be the ground of another: { ...orderPlaced, version: 2 }.
  const made = 'kind' in options ? ['kind', 'transport'] : []
  unknownOptions(options, [...Object.keys(known), ...made], '', (message) => {
    const { name, type } = options as { readonly name?: unknown; readonly type?: unknown }
    throw new EventspineError('APP_INVALID', `${maker} "${String(name ?? type)}": ${message}.`)
  })
}
