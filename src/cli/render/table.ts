import type { Look } from './look.js';

export interface TableColumn {
  heading: string;
  align?: 'left' | 'right';
}

/** Below this, the gaps between columns are one space, and tables leave out what they can. */
const NARROW = 80;

export function isNarrow(look: Look): boolean {
  return look.width < NARROW;
}

/**
 * Cells in columns, without frames; cells are sanitised and coloured by the caller. cli-table3 measures widths (wide
 * characters, colours) and is given no colour of its own: it would also colour a pipe.
 */
export async function renderTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  look: Look,
  indent = '',
): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const table = new Table({
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': isNarrow(look) ? 1 : 2 },
    colAligns: columns.map((column) => column.align ?? 'left'),
    chars: Object.fromEntries(FRAME.map((part) => [part, ''])),
  });
  table.push(
    columns.map((column) => look.dim(column.heading)),
    ...rows.map((row) => [...row]),
  );
  return table
    .toString()
    .split('\n')
    .map((line) => `${indent}${line}`.trimEnd())
    .join('\n');
}

const FRAME = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
  'left',
  'left-mid',
  'mid',
  'mid-mid',
  'right',
  'right-mid',
  'middle',
] as const;
