import type { ImportListResult } from '../../core/import/result.js';
import { typedAgain } from '../typed-again.js';
import type { Look } from './look.js';
import { nextLines } from './next-lines.js';
import type { Grid, Presentation } from './presentation.js';
import { formatAmount, formatDuration } from './quantities.js';
import { sanitize } from './sanitize.js';
import { renderTable } from './table.js';

/** An import of a list of contacts, in every format; NDJSON has one line per contact. */
export function presentImportList(result: ImportListResult, argv: readonly string[]): Presentation {
  const grid: Grid = {
    columns: [
      'line',
      'contact',
      'outcome',
      'connection',
      'created',
      'updated',
      'pages',
      'next_allowed_at',
      'reason',
    ],
    rows: result.imports.map((one) => [
      one.line,
      one.contact,
      one.outcome,
      one.connection,
      one.created,
      one.updated,
      one.pages,
      one.nextAllowedAt,
      one.reason,
    ]),
  };
  return {
    json: result,
    lines: result.imports,
    csv: grid,
    markdown: [grid],
    text: (look) => textOf(result, argv, look),
  };
}

async function textOf(result: ImportListResult, argv: readonly string[], look: Look): Promise<string> {
  const { contacts, messages, status, stopped, durationMs } = result;
  const mark = {
    completed: look.green('✔'),
    partial: look.yellow('!'),
    failed: look.red('✖'),
    interrupted: look.yellow('!'),
  };
  const before = contacts.doneBefore === 0 ? '' : ` (${contacts.doneBefore} were done before)`;
  const parts = [
    `${mark[status]} ${formatAmount(contacts.done, 'contact')} of ${contacts.listed}${before}: ` +
      `${formatAmount(messages.created, 'message')} new, ${messages.updated} changed, in ${formatDuration(durationMs)}.`,
    '',
    await renderTable(
      [{ heading: 'outcome' }, { heading: 'contacts', align: 'right' }],
      Object.entries(result.outcomes).map(([outcome, n]) => [outcome, String(n)]),
      look,
      '  ',
    ),
  ];
  const bad = result.imports.filter(
    ({ outcome }) => outcome === 'invalid_contact' || outcome === 'ambiguous_contact',
  );
  if (bad.length > 0) {
    parts.push('');
    for (const { line, reason } of bad) parts.push(`  line ${line}: ${sanitize(reason ?? '')}`);
  }
  if (contacts.failedBefore > 0) {
    const failed = formatAmount(contacts.failedBefore, 'contact');
    parts.push('', `  ${look.yellow('!')} ${failed} of those done before went wrong; see that run.`);
  }
  if (contacts.left > 0) {
    parts.push(
      '',
      `  Stopped${stopped === null ? '' : ` (${stopped})`}: ${formatAmount(contacts.left, 'contact')} left.`,
      '',
      look.bold('Next'),
      ...nextLines([typedAgain(argv, 'goes on where this stopped')], look).map((line) => `  ${line}`),
    );
  }
  return parts.join('\n');
}
