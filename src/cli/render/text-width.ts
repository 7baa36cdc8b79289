/**
 * Code points that a terminal draws two columns wide: East Asian Wide and Fullwidth of Unicode's EastAsianWidth.txt, without
 * the emoji, which are told by their property.
 */
const WIDE: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18aff],
  [0x1b000, 0x1b2fb],
  [0x20000, 0x3fffd],
];

const EMOJI = /\p{Emoji_Presentation}|\p{Regional_Indicator}|\ufe0f|\u20e3/u;
/** What is drawn over its neighbour, or not at all. */
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;
/** Text that is its own width: most of it. */
const PLAIN = /^[\u0020-\u007e\u00a1-\u00ac\u00ae-\u02ff]*$/;

const SEGMENTER = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** How many columns a terminal takes for sanitised text without colours: emoji and East Asian characters take two. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of SEGMENTER.segment(text)) width += graphemeWidth(segment);
  return width;
}

/**
 * Breaks sanitised text into lines of at most `width` columns: between words, and inside a word that is longer than a line
 * (a URL, a language without spaces). At least one line.
 */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<=\s)(?=\S)/u)) {
    if (widthOf((line + word).trimEnd()) <= width) {
      line += word;
      continue;
    }
    if (line !== '') lines.push(line.trimEnd());
    const pieces = breakWord(word.trimEnd(), width);
    line = `${pieces.pop() ?? ''} `;
    lines.push(...pieces);
  }
  lines.push(line.trimEnd());
  return lines;
}

/** The text cut to `width` columns, with an ellipsis where it was cut. */
export function cutText(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  return `${breakWord(text, Math.max(1, width - 1))[0]?.trimEnd() ?? ''}…`;
}

function breakWord(word: string, width: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  let used = 0;
  for (const { segment } of SEGMENTER.segment(word)) {
    const more = graphemeWidth(segment);
    if (used + more > width && piece !== '') {
      pieces.push(piece);
      piece = '';
      used = 0;
    }
    piece += segment;
    used += more;
  }
  return [...pieces, piece];
}

function graphemeWidth(grapheme: string): number {
  if (EMOJI.test(grapheme)) return 2;
  if (ZERO_WIDTH.test(grapheme)) return 0;
  const code = grapheme.codePointAt(0) ?? 0;
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}
