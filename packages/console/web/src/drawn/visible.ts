// What other people wrote (payloads, error texts, keys, names) as text that shows what is in it. The same as on the terminal, but
// for the breaks of lines.
import * as text from 'eventspine/text'

/** `\u202e` in place of the character. In JSON that is the same text to whoever parses it. */
export const visible = (given: string): string => text.visible(given, '\t\n\r')
