// Commands that a person copies out of a message: what a stranger named stays one word of them.

/** One word for a POSIX shell, whatever the text holds. */
export const shellWord = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
