/**
 * A value over several lines as psql prints it: the lines of a cell behind its column (`payload | {`, then `        |   "object": …`), and
 * `+` behind each but the last, padded to the column's width.
 */

/** The first line of a cell that begins with a bracket alone, in a table or an expanded record; other cells are before it, or behind. */
const FIRST = /^((?:[^"{[\n]{0,400}[|│])? )([{[]) *[+↵](?: *[|│].*)?\s*$/;
const BAR = /[|│]/g;
/** The line of the bracket that closes the value. */
const LAST = /^[\]}] *(?:[|│][ |│]*)?$/;

/** Follows the lines of a cell, and takes off them what psql put around. */
export class PsqlCell {
  private constructor(
    /** What the value's first line is. */
    readonly first: string,
    private readonly before: RegExp,
  ) {}

  static begun(line: string): PsqlCell | undefined {
    const [, words, bracket] = FIRST.exec(line.slice(0, LONGEST_FIRST)) ?? [];
    if (words === undefined || bracket === undefined) return undefined;
    const bars = words.match(BAR)?.length ?? 0;
    return new PsqlCell(bracket, new RegExp(`^(?: *[|│]){${bars}} `));
  }

  /** What the value goes on with in the next line of the cell, and whether it ends; undefined for a line of something else. */
  next(line: string): { text: string; isLast: boolean } | undefined {
    const [before] = this.before.exec(line) ?? [];
    if (before === undefined) return undefined;
    const rest = line.slice(before.length);
    if (LAST.test(rest.slice(0, LONGEST_FIRST))) return { text: rest.slice(0, 1), isLast: true };
    const mark = Math.max(rest.lastIndexOf('+'), rest.lastIndexOf('↵'));
    if (mark === -1 || !/^.(?: *[|│][ |│]*)?\s*$/.test(rest.slice(mark))) return undefined;
    return { text: rest.slice(0, mark).trimEnd(), isLast: false };
  }
}

/** Wider cells are not looked at. */
const LONGEST_FIRST = 100_000;

/** The value of the lines of one cell; undefined for any other text. */
export function psqlValue(text: string): string | undefined {
  const end = text.indexOf('\n');
  const cell = end === -1 ? undefined : PsqlCell.begun(text.slice(0, end));
  if (cell === undefined) return undefined;
  const lines = text.slice(end + 1).split(/\r?\n/);
  const parts = [cell.first];
  for (const [i, line] of lines.entries()) {
    const next = cell.next(line);
    if (next === undefined || next.isLast !== (i === lines.length - 1)) return undefined;
    parts.push(next.text);
  }
  return parts.join('\n');
}
