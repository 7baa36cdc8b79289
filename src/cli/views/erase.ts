import type { EraseResult } from '../../commands/erase/types.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import { countOf, fields, list, numbers, section, table } from '../ui/document.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount } from '../ui/quantities.js';

/** What `erase` did or would do, in every format. `apply`: the command that does it. */
export function presentErase(result: EraseResult, apply: Remedy): Presentation {
  const { tables, bodies, identities, outOfReach, runId, status } = result;
  const next = nextSteps(result, apply);
  const bodyRows: [string, number][] =
    bodies === null
      ? []
      : [
          ['raw bodies, emptied', bodies.erased],
          ['raw bodies, written anew', bodies.redacted],
        ];
  const rows = [
    ...tables.map(({ table: name, rows: count }): [string, number] => [name, count]),
    ...bodyRows,
  ];
  return {
    json: { ...result, remedies: next },
    lines: [result],
    csv: { columns: ['what', 'rows'], rows },
    document: {
      verdict: {
        mark: status === 'completed' ? 'good' : 'warn',
        text: eraseHeadline(result),
        remarks:
          bodies === null || bodies.others === 0
            ? []
            : [
                `${formatAmount(bodies.others, 'item')} of other people cannot be separated in the raw log, and lose their raw bodies; their rows stay.`,
              ],
      },
      blocks: [
        section('Identities', [
          table(
            ['kind', 'identity'],
            identities.map(({ kind, value }) => [kind, value]),
          ),
        ]),
        section(result.action === 'planned' ? 'What would go' : 'What is gone', [
          table(
            ['what', numbers('rows')],
            rows.filter(([, count]) => count > 0).map(([name, count]) => [name, countOf(count)]),
          ),
        ]),
        section('Out of reach', [list(outOfReach.map((line) => ({ line: [line] })))]),
        fields([['run', runId]]),
      ],
      next,
    },
  };
}

function eraseHeadline({ action, status, tables, bodies, vacuumed, allowed }: EraseResult): string {
  if (action === 'allowed')
    return `Lifted the erasure of ${formatAmount(allowed, 'person', 'people')}; what comes of them is stored again`;
  const rows = formatAmount(
    tables.reduce((sum, { rows: count }) => sum + count, 0),
    'row',
  );
  const items = `${rows} and ${formatAmount(bodies?.items ?? 0, 'item')} of the raw log`;
  if (action === 'planned') return `Would erase one person: ${items}; nothing was changed`;
  return status === 'completed'
    ? `Erased one person: ${items}${vacuumed ? '; the tables’ files are without them' : ''}`
    : `Interrupted; ${items} are gone, and the same command finishes it`;
}

function nextSteps({ action, status }: EraseResult, apply: Remedy): Remedy[] {
  if (action === 'planned') return [apply];
  return action === 'erased' && status === 'completed'
    ? [remedy('verify', [], 'proves that everybody else’s items are where they belong')]
    : [];
}
