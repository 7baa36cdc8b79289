import widthOfText from 'fast-string-width';
import { wrapAnsi } from 'fast-wrap-ansi';

/** How many columns a terminal takes for text: emoji and East Asian characters take two, colors none. */
export function widthOf(text: string): number {
  return widthOfText(text);
}

/**
 * Breaks text into lines of at most `width` columns, between words; a word that is longer than a line (a URL, a language
 * without spaces) is broken. At least one line.
 */
export function wrapText(text: string, width: number): string[] {
  if (widthOf(text) <= width) return [text];
  return wrapAnsi(text, Math.max(1, width), { hard: true }).split('\n');
}

/** The text cut to `width` columns, with an ellipsis where it was cut. */
export function cutText(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let cut = '';
  let room = Math.max(1, width) - 1;
  // Not at the start: the first of a process takes 11 ms.
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)) {
    room -= widthOf(segment);
    if (room < 0) break;
    cut += segment;
  }
  return `${cut.trimEnd()}…`;
}
