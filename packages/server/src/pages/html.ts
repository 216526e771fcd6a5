// HTML in which every value is text, and shows what is in it: nothing reverses the order of reading, or hides.
import { visible } from 'eventspine/text'

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

const escaped = (text: string) => visible(text, '\t\n\r').replace(/[&<>"']/g, (sign) => escapes[sign] ?? sign)
