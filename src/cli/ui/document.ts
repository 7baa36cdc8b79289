import { adviceList, isRemedy, type Advices, type Remedy } from '../../model/remedy.js';
import type { Look } from './look.js';
import { formatCount } from './quantities.js';

/**
 * A result for people, as content rather than layout: one renderer turns it into terminal text, another into Markdown.
 * Its text is not escaped or sanitized: the renderers do that, so that no view can forget it.
 */
export interface Document {
  /** What it all comes to: the first line, and once more above `next` where the document is long. */
  verdict?: Verdict;
  blocks: readonly Block[];
  /** What to type next; the last lines. */
  next?: readonly Remedy[];
}

export type Mark = 'good' | 'warn' | 'bad' | 'stopped' | 'note';

export interface Verdict {
  mark: Mark;
  text: string;
  /** How long it took, on which database: behind the verdict, fainter. */
  detail?: string;
  /** What has to be known to read it right: a dry run, an error, a resumed run. */
  remarks?: readonly Line[];
}

/** What a piece of text is; a terminal with colors shows it. */
export type Tone = 'good' | 'warn' | 'bad' | 'strong' | 'faint' | 'place';

export interface Span {
  text: string;
  tone: Tone;
  /** May be cut at the end of the line on a terminal. A pipe gets all of it. */
  short?: true;
}

/** A remedy is shown as the command to type, and is never broken over lines. */
export type Inline = string | Span | Remedy;
export type Line = Inline | readonly Inline[];

export interface Section {
  kind: 'section';
  title: string;
  aside: string;
  blocks: readonly Block[];
}

export interface Column {
  heading: string;
  align?: 'left' | 'right';
  /** Left out where the terminal is too narrow. */
  optional?: boolean;
}

export interface Item {
  mark?: Mark;
  /** A name in a column of its own. */
  label?: string;
  line: Line;
  /** What belongs to it, line by line. */
  under?: readonly Line[];
}

export type Block =
  | Section
  | { kind: 'fields'; fields: readonly (readonly [label: string, value: Line])[] }
  | { kind: 'table'; columns: readonly Column[]; rows: readonly (readonly Line[])[] }
  | { kind: 'list'; items: readonly Item[] }
  | { kind: 'text'; lines: readonly Line[] }
  /** What only a terminal can show, such as a chart; `instead` is what Markdown shows. */
  | { kind: 'drawing'; draw: (look: Look) => readonly string[]; instead: readonly Block[] };

/** A titled part; without content it is left out. */
export function section(title: string, blocks: readonly Block[], aside = ''): Section {
  return { kind: 'section', title, aside, blocks };
}

/** Named values; those that are empty are left out. */
export function fields(
  named: readonly (readonly [label: string, value: Line | null | undefined])[],
): Extract<Block, { kind: 'fields' }> {
  return {
    kind: 'fields',
    fields: named.flatMap(([label, value]): [string, Line][] =>
      value === null || value === undefined || value === '' ? [] : [[label, value]],
    ),
  };
}

/** Stands for a count of 0, and for what there is none of. */
export const NONE: Span = { text: '–', tone: 'faint' };

/** `12,345`; none is a dash. */
export function countOf(value: number, tone?: Tone): Line {
  if (value === 0) return NONE;
  return tone === undefined ? formatCount(value) : span(tone, formatCount(value));
}

/** A column is its heading, or more. One that holds nothing but dashes is left out. */
export function table(
  columns: readonly (string | Column)[],
  rows: readonly (readonly Line[])[],
): Extract<Block, { kind: 'table' }> {
  const kept = [...columns.keys()].filter((at) => rows.some((row) => row[at] !== NONE));
  return {
    kind: 'table',
    columns: kept.flatMap((at) => {
      const column = columns[at];
      return column === undefined ? [] : [typeof column === 'string' ? { heading: column } : column];
    }),
    rows: rows.map((row) => kept.map((at) => row[at] ?? '')),
  };
}

/** A column of numbers. */
export function numbers(heading: string): Column {
  return { heading, align: 'right' };
}

export function list(items: readonly Item[]): Extract<Block, { kind: 'list' }> {
  return { kind: 'list', items };
}

/** What to do about an item, under it. */
export function adviceLines(advices: Advices | null | undefined): Line[] {
  return adviceList(advices).map((advice): Line => [
    '→ ',
    typeof advice === 'string' ? span('place', advice) : advice,
  ]);
}

export function text(...lines: readonly Line[]): Extract<Block, { kind: 'text' }> {
  return { kind: 'text', lines };
}

export function drawing(
  draw: (look: Look) => readonly string[],
  instead: readonly Block[],
): Extract<Block, { kind: 'drawing' }> {
  return { kind: 'drawing', draw, instead };
}

export function span(tone: Tone, words: string): Span {
  return { text: words, tone };
}

/** Words that matter less. */
export function faint(words: string): Span {
  return span('faint', words);
}

/** Text from outside that may be long: one line, which a terminal cuts. */
export function short(words: string): Span {
  return { text: words, tone: 'faint', short: true };
}

/** The parts of a line, of which a remedy is one. */
export function inlinesOf(line: Line): readonly Inline[] {
  return typeof line === 'string' || isRemedy(line) || isSpan(line) ? [line] : line;
}

/** Whether nothing of a block would be shown. */
export function isEmpty(block: Block): boolean {
  switch (block.kind) {
    case 'section':
      return block.blocks.every(isEmpty);
    case 'fields':
      return block.fields.length === 0;
    case 'table':
      return block.rows.length === 0;
    case 'list':
      return block.items.length === 0;
    case 'text':
      return block.lines.length === 0;
    case 'drawing':
      return false;
  }
}

function isSpan(line: Line): line is Span {
  return typeof line === 'object' && 'tone' in line;
}
