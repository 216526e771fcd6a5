// `eventspine/text`: what other people wrote as text that shows what is in it, on a terminal, a page or in a browser alike. It
// imports nothing, so that it can be bundled alone.

// C0 and C1 controls, DEL, halves of surrogate pairs, bidirectional controls, separators of lines and paragraphs, anchors of
// annotations, and all that Unicode has drawn as nothing: spaces and joiners of no width, soft hyphens, the byte order mark, fillers
// of Hangul, selectors of variants, tags.
const unseen =
  /[\p{Cc}\p{Surrogate}\p{Bidi_Control}\p{Zl}\p{Zp}\ufff9-\ufffb\p{Default_Ignorable_Code_Point}]/u

// Of those, what changes what is drawn and so hides nothing: within an emoji that Unicode lists (its joiners, its keycap, the tags of
// its flag); one choice between two looks behind a sign that has two; one variant behind a Han character, as in Japanese names, or
// a Mongolian letter; a joiner between two letters of a script in which it decides how these are written, as in Persian and Hindi.
// Two in a row, at the edge of a word, between letters of other scripts, or behind a sign that knows no variants they say nothing that
// is seen: such have carried words past those who read.
const joined = [
  'Arab',
  'Syrc',
  'Nkoo',
  'Mong',
  'Deva',
  'Beng',
  'Guru',
  'Gujr',
  'Orya',
  'Taml',
  'Telu',
  'Knda',
  'Mlym',
]
  .concat('Sinh', 'Khmr', 'Mymr', 'Tibt')
  .map((script) => `\\p{Script=${script}}`)
  .join('')
const drawn = [
  '\\p{RGI_Emoji}',
  '(?<=\\p{Extended_Pictographic})[\\ufe0e\\ufe0f]',
  '(?<=\\p{Script=Han})[\\ufe00-\\ufe02\\u{e0100}-\\u{e01ef}]',
  '(?<=\\p{Script=Mong})[\\u180b-\\u180f]',
  `(?<=[${joined}])[\\u200c\\u200d](?=[${joined}])`,
]
// As texts: the compiler's target has no flag `v`, the engines do.
const signs = new RegExp(`(?<drawn>${drawn.join('|')})|${unseen.source}`, 'gv')

/** Every character that would reverse the order of reading, or hide, as its JSON escape: `\u202e`. In JSON that is the same text to
 *  whoever parses it. `keeps`: those that stay as they are, such as `'\n\t'`. */
export function visible(text: string, keeps = ''): string {
  // Most texts have none: the whole expression takes its time.
  if (!unseen.test(text)) return text
  return text.replace(signs, (sign, kept: string | undefined) =>
    kept !== undefined || keeps.includes(sign) ? sign : escaped(sign),
  )
}

const escaped = (sign: string) =>
  Array.from(
    { length: sign.length },
    (_, at) => `\\u${sign.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('')
