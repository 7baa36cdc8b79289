import type { ImportListResult } from '../../commands/import/types.js';
import type { Grid, Presentation } from '../ui/presentation.js';
import { formatAmount, formatDuration } from '../ui/quantities.js';
import { typedAgain } from '../typed-again.js';
import { list, numbers, table, type Document, type Item, type Mark } from '../ui/document.js';

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
    document: documentOf(result, argv),
  };
}

const MARKS: Readonly<Record<ImportListResult['status'], Mark>> = {
  completed: 'good',
  partial: 'warn',
  failed: 'bad',
  interrupted: 'stopped',
};

function documentOf(result: ImportListResult, argv: readonly string[]): Document {
  const { contacts, messages, status, stopped, durationMs } = result;
  const before = contacts.doneBefore === 0 ? '' : ` (${contacts.doneBefore} in an earlier run)`;
  const isStopped = contacts.left > 0;
  const failed: Item[] =
    contacts.failedBefore === 0
      ? []
      : [
          {
            mark: 'warn',
            line: `${formatAmount(contacts.failedBefore, 'contact')} failed in an earlier run.`,
          },
        ];
  return {
    verdict: {
      mark: MARKS[status],
      text:
        `${contacts.doneBefore + contacts.done} of ${formatAmount(contacts.listed, 'contact')} done${before}: ` +
        `${formatAmount(messages.created, 'message')} created, ${messages.updated} updated`,
      detail: formatDuration(durationMs),
      remarks: isStopped
        ? [
            `Stopped${stopped === null ? '' : ` (${stopped})`}: ${formatAmount(contacts.left, 'contact')} left.`,
          ]
        : [],
    },
    blocks: [
      table(
        ['outcome', numbers('contacts')],
        Object.entries(result.outcomes).map(([outcome, count]) => [outcome, String(count)]),
      ),
      list([
        ...result.imports
          .filter(({ outcome }) => outcome === 'invalid_contact' || outcome === 'ambiguous_contact')
          .map(({ line, reason }): Item => ({ mark: 'warn', line: `line ${line}: ${reason ?? ''}` })),
        ...failed,
      ]),
    ],
    next: isStopped ? [typedAgain(argv, 'resumes where this stopped')] : [],
  };
}
