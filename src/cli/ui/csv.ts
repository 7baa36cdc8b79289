import { stringify } from 'csv-stringify/sync';

/** What a row holds: texts as they are, null as nothing. */
export type CsvCell = string | number | boolean | null;

/** Whose words the cells are. `ours`: some hold command lines, whose ` --flag` stays as it is to be typed. */
export type Words = 'ours' | 'strangers';

/**
 * Comma-separated rows, under a heading if one is given, in which no spreadsheet finds a formula, whatever it takes for the
 * separator (see `guarded`). `isQuoted`: every cell but null, which differs from an empty text then. `separator`: a comma.
 */
export function csvText(
  heading: readonly string[] | null,
  rows: readonly (readonly CsvCell[])[],
  { words, isQuoted = false, separator = ',' }: { words: Words; isQuoted?: boolean; separator?: ',' | '\t' },
): string {
  const cells = (row: readonly CsvCell[]) =>
    row.map((cell) => (cell === null ? null : guarded(String(cell), words)));
  return stringify([...(heading === null ? [] : [heading]), ...rows].map(cells), {
    delimiter: separator,
    quoted: isQuoted,
    quoted_string: isQuoted,
  });
}

/** What starts a formula, also as wide characters, which some spreadsheets read alike. */
const FORMULA = '[=+\\-@\uff1d\uff0b\uff0d\uff20]';

/** A formula's first character, or none, and all white space, control characters, separators and quotes before it. */
const PLACES = new RegExp(`(^[\\s\\p{Cc}"',;|]*|[\\s\\p{Cc}"',;|]+)(${FORMULA}|)`, 'gu');

/** What some spreadsheet may take for the end of a cell, outside of texts of ours: spaces and commas as well. */
const ENDS: Readonly<Record<Words, RegExp>> = {
  ours: /[\p{Cc}\p{Zl}\p{Zp};|]/u,
  strangers: /[\s\p{Cc},;|]/u,
};

/**
 * A text with a `'` before each character that would start a formula: at its beginning, and after what may be a separator in the
 * country of the reader (`;`, tab, `|`, a line break), where the quotes around a cell do not hold. White space and quotes in
 * between change nothing. Such a character always gets one, so that taking it away again gives the text.
 */
function guarded(text: string, words: Words): string {
  return text.replace(PLACES, (whole: string, before: string, formula: string, at: number) =>
    formula !== '' && (at === 0 || ENDS[words].test(before)) ? `${before}'${formula}` : whole,
  );
}
