import { isRemedy } from '../../model/remedy.js';
import type { Look } from './look.js';
import { sanitize } from './sanitize.js';
import { inlinesOf, isEmpty, list, section, type Block, type Document, type Line } from './document.js';
import { MARKS } from './terminal.js';

/** A document as Markdown: for a ticket, a wiki, a chat. */
export function renderMarkdown({ verdict, blocks, next = [] }: Document, look: Look): string {
  const head =
    verdict === undefined
      ? []
      : [
          `**${MARKS[verdict.mark]} ${escapeMarkdown(verdict.text)}**${verdict.detail === undefined ? '' : ` ${escapeMarkdown(verdict.detail)}`}`,
          ...(verdict.remarks ?? []).map((remark) => textOf(remark, look)),
        ];
  const steps = next.map((step) => ({ line: step.why === '' ? [step] : [step, `: ${step.why}`] }));
  const parts = [...blocks, section('Next', [list(steps)])];
  return `${[...head, ...parts.flatMap((block) => blockParts(block, look, 2))].join('\n\n')}\n`;
}

/** So that no name or text from outside becomes a column, a link, an image, a heading or a tag. */
function escapeMarkdown(text: string): string {
  return sanitize(text)
    .replace(/[\\`*_[\]<>|~]/g, '\\$&')
    .replace(/^(\s*)([#+=-])/, '$1\\$2')
    .replace(/^(\s*\d+)([.)])/, '$1\\$2');
}

function blockParts(block: Block, look: Look, level: number): string[] {
  if (isEmpty(block)) return [];
  switch (block.kind) {
    case 'section': {
      const aside = block.aside === '' ? '' : ` (${escapeMarkdown(block.aside)})`;
      return [
        `${'#'.repeat(level)} ${escapeMarkdown(block.title)}${aside}`,
        ...block.blocks.flatMap((one) => blockParts(one, look, level + 1)),
      ];
    }
    case 'fields':
      return [
        block.fields
          // A value without a label belongs to the label before.
          .map(
            ([label, value]) =>
              `${label === '' ? '  - ' : `- ${escapeMarkdown(label)}: `}${textOf(value, look)}`,
          )
          .join('\n'),
      ];
    case 'table': {
      const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
      return [
        [
          row(block.columns.map(({ heading }) => escapeMarkdown(heading))),
          row(block.columns.map(({ align }) => (align === 'right' ? '---:' : '---'))),
          ...block.rows.map((cells) => row(cells.map((cell) => textOf(cell, look)))),
        ].join('\n'),
      ];
    }
    case 'list':
      return [
        block.items
          .flatMap(({ mark, label, line, under = [] }) => [
            `- ${mark === undefined ? '' : `${MARKS[mark]} `}${label === undefined ? '' : `**${escapeMarkdown(label)}** `}${textOf(line, look)}`,
            ...under.map((one) => `  - ${textOf(one, look)}`),
          ])
          .join('\n'),
      ];
    case 'text':
      return block.lines.map((line) => textOf(line, look));
    case 'drawing':
      return block.instead.flatMap((one) => blockParts(one, look, level));
  }
}

function textOf(line: Line, look: Look): string {
  return inlinesOf(line)
    .map((inline) => {
      if (typeof inline === 'string') return escapeMarkdown(inline);
      return isRemedy(inline) ? codeOf(look.line(inline)) : escapeMarkdown(inline.text);
    })
    .join('');
}

/** Code, fenced by more backticks than it holds; a pipe would end a table's cell even here. */
function codeOf(command: string): string {
  const clean = sanitize(command).replaceAll('|', '\\|');
  const fence = '`'.repeat(1 + Math.max(0, ...(clean.match(/`+/g) ?? []).map(({ length }) => length)));
  return `${fence}${clean}${fence}`;
}
