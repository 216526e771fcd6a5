// The command lines of verify/: a run that checked nothing must not look like one that found nothing.
import process from 'node:process'

/** Of a wrong command line; a violation ends with 1. */
const misuseCode = 2

/** What is wrong with a command line. */
export class Misuse extends Error {}

/** What `read` makes of the command line. Says what is wrong with it, and how it is written, and ends the process where it cannot be read. */
export function optionsOf<Options>(usage: string, read: () => Options): Options {
  if (process.argv.slice(2).includes('--help')) {
    process.stdout.write(`Usage: ${usage}\n`)
    process.exit(0)
  }
  try {
    return read()
  } catch (error) {
    // parseArgs throws TypeErrors with a code.
    const isMisuse = error instanceof Misuse || (error instanceof TypeError && 'code' in error)
    if (!isMisuse) throw error
    process.stderr.write(`${error.message}\nUsage: ${usage}\n`)
    process.exit(misuseCode)
  }
}

/** A whole number from `least` on. */
export function wholeOf(name: string, text: string, least = 1): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number) || number < least)
    throw new Misuse(`--${name} takes a whole number from ${least}, not "${text}"`)
  return number
}

/** Seconds, or parts of them. */
export function secondsOf(name: string, text: string): number {
  const number = Number(text)
  if (text.trim() === '' || !Number.isFinite(number) || number <= 0)
    throw new Misuse(`--${name} takes a number above 0, not "${text}"`)
  return number
}

/** One of its own where none is given. */
export const seedOf = (text: string | undefined): number =>
  text === undefined ? Date.now() % 4_294_967_296 : wholeOf('seed', text, 0)

/** Throws where one of them is unknown: what was left out by a slip would count as checked. */
export function checkNames(name: string, asked: readonly string[], known: readonly string[]): void {
  const unknown = asked.filter((each) => !known.includes(each))
  if (unknown.length > 0) throw new Misuse(`--${name} ${unknown.join(', ')}: there are ${known.join(', ')}`)
}
