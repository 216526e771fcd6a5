// What other people wrote (payloads, error texts, keys, names) as text that shows what is in it: nothing reverses the order of
// reading, or hides. The same as on the terminal, but for the breaks of lines.

// C0 and C1 controls without tab, line feed and carriage return, DEL, halves of surrogate pairs, bidirectional controls, line and
// paragraph separators, the byte order mark.
const hidden = /[^\P{Cc}\t\n\r]|[\p{Surrogate}\p{Bidi_Control}\p{Zl}\p{Zp}\ufeff]/gu

/** `\u202e` in place of the character. In JSON that is the same text to whoever parses it. */
export const visible = (text: string): string =>
  text.replace(hidden, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
