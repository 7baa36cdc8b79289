import type { Advices } from '../../model/remedy.js';
import { adviceText, jsonReplacer } from '../advice.js';
import type { Words } from './csv.js';
import type { Format } from './formats.js';
import type { Document } from './document.js';
import { renderMarkdown } from './markdown.js';
import { renderTerminal } from './terminal.js';
import type { Look } from './look.js';

/** Advice is written as the command line to type. */
export type Cell = string | number | boolean | Advices | null;

/** Rows under named columns, for CSV. */
export interface Grid {
  columns: readonly string[];
  rows: readonly (readonly Cell[])[];
  /** Strangers’, if they are what people wrote to each other; else this tool's. */
  words?: Words;
}

/** One result, in every form that it can be asked for. */
export interface Presentation {
  /** For programs: exactly what is documented. */
  json: unknown;
  /** One line of NDJSON each. */
  lines: readonly unknown[];
  csv: Grid;
  /** Gauges for Prometheus; only a report has them. */
  metrics?: () => string;
  /** For people: on a terminal and as Markdown. */
  document: Document;
  /** Says something that is not to be missed: it is printed under --quiet, too. */
  isNews?: boolean;
}

/** Whether a result says that something went well or badly; a list of things does not. */
export function hasVerdict(presentation: Presentation): boolean {
  return presentation.document.verdict !== undefined;
}

/** The result as text in the wanted format, ending with a newline (unless it is empty). */
export async function render(presentation: Presentation, format: Format, look: Look): Promise<string> {
  switch (format) {
    case 'table':
      return endLine(renderTerminal(presentation.document, look));
    case 'json':
      return endLine(JSON.stringify(presentation.json, jsonReplacer(look.line), 2));
    case 'ndjson':
      return presentation.lines
        .map((line) => endLine(JSON.stringify(line, jsonReplacer(look.line))))
        .join('');
    case 'csv':
      return renderCsv(presentation.csv, look);
    case 'markdown':
      return renderMarkdown(presentation.document, look);
    case 'openmetrics':
      return presentation.metrics?.() ?? '';
  }
}

async function renderCsv(grid: Grid, look: Look): Promise<string> {
  const { csvText } = await import('./csv.js');
  return csvText(
    grid.columns,
    grid.rows.map((row) => row.map((cell) => cellText(cell, look))),
    { words: grid.words ?? 'ours' },
  );
}

function cellText(cell: Cell, look: Look): string {
  if (cell === null) return '';
  return typeof cell === 'object' ? (adviceText(cell, look.line) ?? '') : String(cell);
}

function endLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
