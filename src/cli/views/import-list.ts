import type { ImportListResult, ListedFailure } from '../../commands/import/types.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import type { Grid, Presentation } from '../ui/presentation.js';
import { formatAmount, formatDuration } from '../ui/quantities.js';
import { typedAgain } from '../typed-again.js';
import { firstSteps } from './words.js';
import { faint, list, numbers, table, type Document, type Item, type Mark } from '../ui/document.js';

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
  const { failures } = result;
  const nameless = contacts.failedBefore - failures.filter(({ earlier }) => earlier).length;
  const more = failures.length - FAILURES_SHOWN;
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
        ...failures
          .slice(0, FAILURES_SHOWN)
          .map((failure): Item => ({ mark: 'warn', line: failureWords(failure) })),
        ...(more > 0 ? [{ line: faint(`and ${formatAmount(more, 'more contact')} (--json)`) }] : []),
        ...(nameless > 0
          ? [
              {
                mark: 'warn' as const,
                line: `${formatAmount(nameless, 'contact')} failed in an earlier run.`,
              },
            ]
          : []),
      ]),
    ],
    next: [
      ...(stopped === 'logged_out' ? linkFirst(result) : []),
      ...(isStopped ? [typedAgain(argv, 'resumes where this stopped')] : []),
      ...firstSteps(failures.map((failure) => failure.remedy)),
    ],
  };
}

/** The device was unlinked: the rest of the list needs another one. */
function linkFirst({ imports }: ImportListResult): Remedy[] {
  const connection = imports.at(-1)?.connection ?? null;
  return connection === null
    ? []
    : [remedy('link', ['--connection', connection], 'links the phone again: its device was unlinked')];
}

const FAILURES_SHOWN = 20;

/** `line 3: +5511…: silent (in an earlier run)`; what is wrong with a line itself says so. */
function failureWords({ line, contact, outcome, reason, earlier }: ListedFailure): string {
  const isOwnFault = outcome === 'invalid_contact' || outcome === 'ambiguous_contact';
  const what = isOwnFault ? (reason ?? contact) : `${contact}: ${whatHappened(outcome, reason)}`;
  return `line ${line}: ${what}${earlier ? ' (in an earlier run)' : ''}`;
}

function whatHappened(outcome: ListedFailure['outcome'], reason: string | null): string {
  const words = outcome.replaceAll('_', ' ');
  const isGood =
    outcome === 'fetched' || outcome === 'end_of_history' || outcome === 'cache' || outcome === 'empty';
  return `${words}${isGood ? ', incomplete' : ''}${reason === null ? '' : ` (${reason})`}`;
}
