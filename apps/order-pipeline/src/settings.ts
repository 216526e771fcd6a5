// What the environment may set, read once. Everything else is decided in code.

function numberFrom(
  name: string,
  fallback: number,
  fits: (value: number) => boolean,
  wanted: string,
): number {
  const text = process.env[name] ?? ''
  const value = text === '' ? fallback : Number(text)
  if (fits(value)) return value
  throw new RangeError(`${name} is "${text}". Give ${wanted}, such as ${name}=${fallback}, or leave it out.`)
}

/**
 * Multiplies every delay of the pipeline. At 1 a failed delivery waits as long as in production, up to 15 minutes;
 * at 0.002, the default, minutes become fractions of a second and the demonstration ends while you watch.
 */
export const timeScale = numberFrom(
  'ORDER_TIME_SCALE',
  0.002,
  (value) => value > 0 && value <= 1,
  'a number above 0 and up to 1',
)

/** `ORDER_FAILURES=off` shows the pipeline on a good day. */
export const failuresOn = process.env.ORDER_FAILURES !== 'off'

/** Where the HTTP API listens on 127.0.0.1. 0 takes a free one. */
export const port = numberFrom(
  'PORT',
  4600,
  (value) => Number.isInteger(value) && value >= 0 && value < 65_536,
  'a port',
)
