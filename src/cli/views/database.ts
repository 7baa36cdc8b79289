import type { DatabaseStatus, MigrateResult } from '../../commands/database.js';
import { adviceList, remedy } from '../../model/remedy.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount } from '../ui/quantities.js';
import { utc } from './report-words.js';
import { faint, fields, list, section, text, type Item, type Verdict } from '../ui/document.js';

/** `place`: what named the database. */
export function presentDatabaseStatus(result: DatabaseStatus, place: string): Presentation {
  const { applied, pending, exists, problem } = result;
  const kind = result.backend === 'pglite' ? 'embedded PostgreSQL' : 'PostgreSQL';
  return {
    json: result,
    lines: [result],
    csv: {
      columns: ['migration', 'status', 'applied_at'],
      rows: [
        ...applied.map(({ name, appliedAt }) => [name, 'applied', appliedAt]),
        ...pending.map((name) => [name, 'pending', null]),
      ],
    },
    document: {
      verdict: verdictOf(result),
      blocks: [
        fields([
          ['database', result.database],
          ['kind', `${kind}, ${place === 'default' ? 'the default' : `from ${place}`}`],
        ]),
        section('Migrations', [
          list([
            ...applied.map(({ name, appliedAt }): Item => ({
              mark: 'good',
              line: [name, faint(`  ${utc(appliedAt)}`)],
            })),
            ...pending.map((name): Item => ({ mark: 'note', line: [name, faint('  pending')] })),
          ]),
        ]),
      ],
      next:
        pending.length > 0 && exists && problem === undefined
          ? [remedy('db migrate', [], 'applies the pending migrations')]
          : [],
    },
  };
}

function verdictOf({ problem, upToDate, pending }: DatabaseStatus): Verdict {
  if (problem !== undefined) {
    const [first = '', ...rest] = problem.message.split('\n');
    return { mark: 'bad', text: first, remarks: [...rest, ...adviceList(problem.remedy)] };
  }
  return upToDate
    ? { mark: 'good', text: 'The database is up to date' }
    : { mark: 'warn', text: `${formatAmount(pending.length, 'migration')} pending` };
}

export function presentMigrated(result: MigrateResult): Presentation {
  const { applied, database } = result;
  return {
    json: result,
    lines: [result],
    csv: { columns: ['migration'], rows: applied.map((name) => [name]) },
    document: {
      verdict: {
        mark: 'good',
        text:
          applied.length === 0
            ? `Nothing to do: ${database} is up to date.`
            : `${formatAmount(applied.length, 'migration')} applied to ${database}`,
      },
      blocks: [text(...applied)],
    },
  };
}
