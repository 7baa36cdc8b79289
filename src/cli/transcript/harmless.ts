/** What a terminal obeys, what hides or reorders the text around it: C0 but for tab and line feed, DEL, C1, bidi, BOM. */
const CONTROLS =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]/g;

/** JSON that means the same and that a terminal or an editor may show: such characters as `\u202e`. */
export function harmlessJson(value: unknown): string {
  return visible(JSON.stringify(value));
}

/** Text with such characters made visible as `\u202e`, for a form that cannot escape them. */
export function visible(text: string): string {
  return text.replace(CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The lines of a text. */
export function linesOf(text: string): string[] {
  return text.split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/);
}

const LONGEST_NAME = 60;

/** A part of a file name out of a stranger's words: letters, digits and a few signs that no shell or file system reads. */
export function fileNamePart(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}+_-]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_NAME)
    .replace(/\p{Surrogate}/gu, '')
    .trim()
    .replaceAll(' ', '-');
}
