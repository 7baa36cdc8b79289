/**
 * Escape sequences that a terminal would obey: CSI (colors, cursor), OSC (title, clipboard, links) and the other string
 * sequences with their terminators, then any other two-character escape; 7-bit and 8-bit forms.
 */
const ESCAPE_SEQUENCES =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)|\u001b[ -/]*[0-~]/g;

/** Line breaks and tabs, which would tear a table; everything that is white space to a terminal. */
const BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;

/** What is left of C0 and C1, DEL, and the marks that reorder or hide text around them (bidi, BOM). */
const INVISIBLE_CONTROLS =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]/g;

const LONE_SURROGATES = /\p{Surrogate}/gu;

/**
 * Text from outside (push names, message texts, file names), made harmless for a terminal: one line, no sequence that
 * it would obey, nothing that hides or reorders its neighbors. Never for JSON, which must keep the original text.
 */
export function sanitize(text: string): string {
  return text
    .replace(ESCAPE_SEQUENCES, '')
    .replace(BREAKS, ' ')
    .replace(INVISIBLE_CONTROLS, '')
    .replace(LONE_SURROGATES, '\ufffd');
}

/** `text` cut to at most `width` characters as people count them, the last one being an ellipsis where it was cut. */
export function truncate(text: string, width: number): string {
  if (text.length <= width) return text;
  const graphemes = [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)];
  if (graphemes.length <= width) return text;
  return `${graphemes
    .slice(0, Math.max(0, width - 1))
    .map(({ segment }) => segment)
    .join('')}…`;
}
