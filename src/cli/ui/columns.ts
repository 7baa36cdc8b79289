import type { Look } from './look.js';
import { sanitize } from './sanitize.js';
import type { Column } from './document.js';
import { widthOf, wrapText } from './width.js';

/** Below this, the gaps between columns are one space. */
const NARROW = 80;
/** A column of text is not made narrower than this. */
const LEAST_WIDTH = 12;

/**
 * Cells in columns, without frames. On a terminal the table takes no more than `width`: optional columns are left out, the
 * last first, then the widest columns of text are wrapped. In a pipe every row stays one line, for grep.
 */
export function layColumns(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  look: Look,
  width: number,
): string[] {
  const gap = look.width < NARROW ? 1 : 2;
  const natural = columns.map(({ heading }, at) =>
    Math.max(widthOf(heading), ...rows.map((row) => widthOf(row[at] ?? ''))),
  );
  const shown = look.isTerminal ? chooseColumns(columns, natural, gap, width) : [...columns.keys()];
  const widths = look.isTerminal ? narrow(columns, rows, natural, shown, gap, width) : natural;
  const lines = (cells: readonly string[]): string[] => {
    const wrapped = shown.map((at) => wrapText(cells[at] ?? '', widths[at] ?? 0));
    const height = Math.max(...wrapped.map(({ length }) => length));
    return Array.from({ length: height }, (_, row) =>
      shown
        .map((at, index) => {
          const cell = wrapped[index]?.[row] ?? '';
          const padding = ' '.repeat(Math.max(0, (widths[at] ?? 0) - widthOf(cell)));
          return columns[at]?.align === 'right' ? padding + cell : cell + padding;
        })
        .join(' '.repeat(gap))
        .trimEnd(),
    );
  };
  const headings = columns.map(({ heading }) => look.dim(sanitize(heading)));
  return [...lines(headings), ...rows.flatMap(lines)];
}

function chooseColumns(
  columns: readonly Column[],
  natural: readonly number[],
  gap: number,
  width: number,
): number[] {
  let shown = [...columns.keys()];
  while (total(natural, shown, gap) > width) {
    const last = shown.findLast((at) => columns[at]?.optional === true);
    if (last === undefined) break;
    shown = shown.filter((at) => at !== last);
  }
  return shown;
}

/** Text is wrapped between words; only where that is not enough, ids and names are broken as well. */
function narrow(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  natural: readonly number[],
  shown: readonly number[],
  gap: number,
  width: number,
): number[] {
  const widths = [...natural];
  const texts = shown
    .filter((at) => columns[at]?.align !== 'right')
    .sort((a, b) => (natural[b] ?? 0) - (natural[a] ?? 0));
  const take = (least: (at: number) => number): void => {
    for (const at of texts) {
      const over = total(widths, shown, gap) - width;
      if (over <= 0) return;
      const now = widths[at] ?? 0;
      widths[at] = Math.min(now, Math.max(least(at), now - over));
    }
  };
  const longestWord = (at: number): number =>
    Math.max(...rows.flatMap((row) => (row[at] ?? '').split(' ').map(widthOf)));
  take((at) => Math.max(LEAST_WIDTH, longestWord(at)));
  take(() => LEAST_WIDTH);
  return widths;
}

function total(widths: readonly number[], shown: readonly number[], gap: number): number {
  return shown.reduce((sum, at) => sum + (widths[at] ?? 0), 0) + gap * (shown.length - 1);
}
