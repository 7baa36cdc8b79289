import type { Advices } from '../../model/remedy.js';
import { adviceText, jsonReplacer } from '../advice.js';
import type { Format } from './formats.js';
import type { Look } from './look.js';
import { sanitize } from './sanitize.js';

/** Advice is written as the command line to type. */
export type Cell = string | number | boolean | Advices | null;

/** Rows under named columns: what CSV and Markdown are made of. */
export interface Grid {
  title?: string;
  columns: readonly string[];
  rows: readonly (readonly Cell[])[];
}

/** One result, in every form that it can be asked for. */
export interface Presentation {
  /** For programs: exactly what is documented. */
  json: unknown;
  /** One line of NDJSON each. */
  lines: readonly unknown[];
  csv: Grid;
  markdown: readonly Grid[];
  /** For people. Untrusted text in it is sanitised already. */
  text: (look: Look) => Promise<string> | string;
}

/** The result as text in the wanted format, ending with a newline (unless it is empty). */
export async function render(presentation: Presentation, format: Format, look: Look): Promise<string> {
  switch (format) {
    case 'table':
      return endLine(await presentation.text(look));
    case 'json':
      return endLine(JSON.stringify(presentation.json, jsonReplacer(look.line), 2));
    case 'ndjson':
      return presentation.lines
        .map((line) => endLine(JSON.stringify(line, jsonReplacer(look.line))))
        .join('');
    case 'csv':
      return renderCsv(presentation.csv, look);
    case 'markdown':
      return presentation.markdown.map((grid) => renderMarkdown(grid, look)).join('\n');
  }
}

/** Comma-separated, with a heading. A cell that a spreadsheet would take for a formula gets a `'` before it. */
async function renderCsv(grid: Grid, look: Look): Promise<string> {
  const { stringify } = await import('csv-stringify/sync');
  return stringify(
    grid.rows.map((row) => row.map((cell) => cellText(cell, look))),
    { header: true, columns: grid.columns.map((column) => ({ key: column })), escape_formulas: true },
  );
}

function renderMarkdown(grid: Grid, look: Look): string {
  const heading = grid.title === undefined ? [] : [`## ${grid.title}`, ''];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    ...heading,
    line(grid.columns),
    line(grid.columns.map(() => '---')),
    ...grid.rows.map((row) => line(row.map((cell) => escapeMarkdown(cellText(cell, look))))),
    '',
  ].join('\n');
}

function cellText(cell: Cell, look: Look): string {
  if (cell === null) return '';
  return typeof cell === 'object' ? (adviceText(cell, look.line) ?? '') : String(cell);
}

/** So that no name or text from outside becomes a column, a link, an image or a tag. */
function escapeMarkdown(text: string): string {
  return sanitize(text).replace(/[\\`*_[\]<>|~]/g, '\\$&');
}

function endLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
