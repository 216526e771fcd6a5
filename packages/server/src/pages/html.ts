// HTML in which every value is text, and shows what is in it: nothing reverses the order of reading, or hides.
const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A template whose values are escaped. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return parts.reduce((text, part, at) => text + escaped(String(values[at - 1])) + part)
}

// Controls without tab, line feed and carriage return, halves of surrogate pairs, bidirectional controls, separators, the byte order mark.
const hidden = /[^\P{Cc}\t\n\r]|[\p{Surrogate}\p{Bidi_Control}\p{Zl}\p{Zp}\ufeff]/gu

const visible = (text: string) =>
  text.replace(hidden, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)

const escaped = (text: string) => visible(text).replace(/[&<>"']/g, (sign) => escapes[sign] ?? sign)
