import { isRemedy, type Remedy } from '../../model/remedy.js';
import type { Look } from './look.js';
import { sanitize } from './sanitize.js';
import { layColumns } from './columns.js';
import {
  inlinesOf,
  isEmpty,
  type Block,
  type Document,
  type Inline,
  type Item,
  type Line,
} from './document.js';
import type { Mark, Tone, Verdict } from './document.js';
import { cutText, widthOf, wrapText } from './width.js';

const INDENT = '  ';
/** A longer document repeats its verdict, so that the tail of a log and the bottom of a screen show it. */
const SHORT_DOCUMENT = 5;

/** A mark also says it without color. */
export const MARKS: Readonly<Record<Mark, string>> = {
  good: '✔',
  warn: '▲',
  bad: '✖',
  stopped: '■',
  note: '·',
};

const TONE_OF_MARK: Readonly<Record<Mark, Tone>> = {
  good: 'good',
  warn: 'warn',
  bad: 'bad',
  stopped: 'warn',
  note: 'place',
};

/**
 * A document as a terminal shows it, wrapped at its width. In a pipe every line and every row of a table is one line, for
 * grep. The verdict and what to type next are the last lines.
 */
export function renderTerminal({ verdict, blocks, next = [] }: Document, look: Look): string {
  const body = blocks
    .filter((block) => !isEmpty(block))
    .map((block) => blockLines(block, look, widthFor(look)).join('\n'));
  const isLong = body.join('\n').split('\n').length > SHORT_DOCUMENT;
  const head = verdict === undefined ? [] : [...verdictLine(verdict, look), ...remarkLines(verdict, look)];
  const tail = [
    ...(verdict !== undefined && isLong ? verdictLine(verdict, look) : []),
    ...(next.length === 0 ? [] : [look.bold('Next'), ...next.flatMap((step) => stepLines(step, look))]),
  ];
  return [head.join('\n'), ...body, tail.join('\n')].filter((part) => part !== '').join('\n\n');
}

function widthFor(look: Look): number {
  return look.isTerminal ? look.width : Number.POSITIVE_INFINITY;
}

function verdictLine({ mark, text, detail }: Verdict, look: Look): string[] {
  const tone = paintOf(TONE_OF_MARK[mark], look);
  const words = `${MARKS[mark]} ${sanitize(text)}`;
  const about = detail === undefined ? '' : sanitize(detail);
  const line = about === '' ? words : `${words}  ${about}`;
  const paint = (one: string): string => look.bold(tone(one));
  if (widthOf(line) <= widthFor(look)) {
    return [about === '' ? paint(words) : `${paint(words)}  ${look.dim(about)}`];
  }
  const lines = wrapText(words, look.width - 2).map((one, index) => (index === 0 ? '' : INDENT) + paint(one));
  return about === ''
    ? lines
    : [...lines, ...wrapText(about, look.width - 2).map((one) => INDENT + look.dim(one))];
}

function remarkLines({ remarks = [] }: Verdict, look: Look): string[] {
  return indented(
    remarks.flatMap((line) => lineLines(line, look, widthFor(look) - 2)),
    INDENT,
  );
}

/** A command stands alone on its line, to be copied; under it, what it does. */
function stepLines(step: Remedy, look: Look): string[] {
  const why = wrapText(sanitize(step.why), widthFor(look) - 4).map(
    (line) => `${INDENT}${INDENT}${look.dim(line)}`,
  );
  return [`${INDENT}${look.cyan(look.line(step))}`, ...(step.why === '' ? [] : why)];
}

function blockLines(block: Block, look: Look, width: number): string[] {
  switch (block.kind) {
    case 'section': {
      const inner = block.blocks
        .filter((one) => !isEmpty(one))
        .flatMap((one) => blockLines(one, look, width - INDENT.length));
      const aside = block.aside === '' ? '' : `  ${look.dim(sanitize(block.aside))}`;
      return [...wrapText(`${look.bold(sanitize(block.title))}${aside}`, width), ...indented(inner, INDENT)];
    }
    case 'fields': {
      const labels = block.fields.map(([label]) => sanitize(label));
      const column = Math.max(...labels.map(widthOf)) + 2;
      return block.fields.flatMap(([, value], index) => {
        const label = labels[index] ?? '';
        return hanging(look.dim(label) + ' '.repeat(column - widthOf(label)), column, value, look, width);
      });
    }
    case 'table':
      return layColumns(
        block.columns,
        block.rows.map((row) => row.map((cell) => inlineText(inlinesOf(cell), look))),
        look,
        width,
      );
    case 'list': {
      const column = Math.max(
        ...block.items.map(({ label }) => (label === undefined ? 0 : widthOf(sanitize(label)) + 2)),
      );
      return block.items.flatMap((item) => itemLines(item, column, look, width));
    }
    case 'text':
      return block.lines.flatMap((line) => lineLines(line, look, width));
    case 'drawing':
      return [...block.draw(look)];
  }
}

function itemLines(
  { mark, label, line, under = [] }: Item,
  column: number,
  look: Look,
  width: number,
): string[] {
  const bullet = mark === undefined ? '' : `${paintOf(TONE_OF_MARK[mark], look)(MARKS[mark])} `;
  const name = label === undefined ? '' : sanitize(label);
  const first = `${bullet}${name === '' ? '' : look.bold(name)}${' '.repeat(column === 0 ? 0 : column - widthOf(name))}`;
  return [
    // Without a mark, what does not fit is indented, so that items stay apart.
    ...hanging(first, Math.max(INDENT.length, widthOf(first)), line, look, width),
    ...indented(
      under.flatMap((one) => lineLines(one, look, width - INDENT.length)),
      INDENT,
    ),
  ];
}

/** A line after a label; the rest continues below its start. */
function hanging(label: string, column: number, line: Line, look: Look, width: number): string[] {
  return lineLines(line, look, Math.max(20, width - column)).map((one, index) =>
    (index === 0 ? label + one : ' '.repeat(column) + one).trimEnd(),
  );
}

/** A line, wrapped; a command that does not fit beside its words stands alone. */
function lineLines(line: Line, look: Look, width: number): string[] {
  const inlines = inlinesOf(line);
  const whole = inlineText(inlines, look);
  if (inlines.some(isShort)) return [look.isTerminal ? cutLine(inlines, look, width) : whole];
  if (widthOf(whole) <= width) return [whole];
  const at = inlines.findIndex((inline) => isRemedy(inline));
  if (at === -1) return wrapText(whole, width);
  const [before, command, after] = [inlines.slice(0, at), inlines.slice(at, at + 1), inlines.slice(at + 1)];
  return [
    ...(before.length === 0 ? [] : lineLines(before, look, width).map((one) => one.trimEnd())),
    inlineText(command, look),
    ...(after.length === 0 ? [] : lineLines(after, look, width)),
  ];
}

/** Whatever stands before the part that may be cut is shown whole. */
function cutLine(inlines: readonly Inline[], look: Look, width: number): string {
  let room = width;
  return inlines
    .map((inline) => {
      if (isShort(inline))
        return paintOf(inline.tone, look)(cutText(sanitize(inline.text), Math.max(10, room)));
      const shown = inlineText([inline], look);
      room -= widthOf(shown);
      return shown;
    })
    .join('');
}

function isShort(inline: Inline): inline is Extract<Inline, { tone: Tone }> {
  return typeof inline === 'object' && 'short' in inline;
}

function inlineText(inlines: readonly Inline[], look: Look): string {
  return inlines
    .map((inline) => {
      if (typeof inline === 'string') return sanitize(inline);
      if (isRemedy(inline)) return look.cyan(sanitize(look.line(inline)));
      return paintOf(inline.tone, look)(sanitize(inline.text));
    })
    .join('');
}

function paintOf(tone: Tone, look: Look): (text: string) => string {
  switch (tone) {
    case 'good':
      return look.green;
    case 'warn':
      return look.yellow;
    case 'bad':
      return look.red;
    case 'strong':
      return look.bold;
    case 'faint':
      return look.dim;
    case 'place':
      return look.cyan;
  }
}

function indented(lines: readonly string[], by: string): string[] {
  return lines.map((line) => (line === '' ? line : by + line));
}
