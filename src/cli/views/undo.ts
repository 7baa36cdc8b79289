import type { LeftRow, UndoResult } from '../../commands/undo/types.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount, formatCount } from '../ui/quantities.js';
import { countOf, faint, numbers, section, table, text, type Block, type Verdict } from '../ui/document.js';

/** Maximum rows shown to people; JSON has more. */
const SHOWN = 10;
/** Columns named of each. */
const NAMED_COLUMNS = 3;

/** What an undo did, in every format. */
export function presentUndo(result: UndoResult): Presentation {
  return {
    json: result,
    lines: [result],
    csv: {
      columns: ['table', 'inserted', 'updated', 'deleted'],
      rows: result.tables.map((row) => [row.table, row.inserted, row.updated, row.deleted]),
    },
    document: {
      verdict: verdictOf(result),
      blocks: [
        section('Restored rows', [
          table(
            ['table', numbers('inserted'), numbers('updated'), numbers('deleted')],
            result.tables.map((row) => [
              row.table,
              countOf(row.inserted),
              countOf(row.updated),
              countOf(row.deleted),
            ]),
          ),
        ]),
        leftSection(result),
      ],
      next: nextSteps(result),
    },
  };
}

const WHAT: Readonly<Record<LeftRow['how'], string>> = {
  changed: 'changed',
  gone: 'deleted',
  back: 'exists again',
};

function verdictOf({ status, dryRun, undone, rows, left, runId }: UndoResult): Verdict {
  const of = `${undone.command} ${undone.runId}`;
  const amount = formatAmount(rows, 'row');
  switch (status) {
    case 'failed':
      return {
        mark: 'bad',
        text: `Nothing was changed: ${formatAmount(left.found, 'row')} of ${of} ${left.found === 1 ? 'was' : 'were'} changed since.`,
      };
    case 'completed':
    case 'partial': {
      const rest =
        left.found === 0
          ? ''
          : `; ${formatAmount(left.found, 'row')} changed since then ${left.found === 1 ? 'keeps its' : 'keep their'} new values`;
      return {
        mark: status === 'completed' ? 'good' : 'warn',
        text: dryRun
          ? `Would restore ${amount} of ${of}${rest}. Nothing was changed.`
          : `Restored ${amount} of ${of}${rest}.`,
        remarks: runId === null ? [] : [faint(`run ${runId}`)],
      };
    }
  }
}

function leftSection({ left }: UndoResult): Block {
  const more = left.found - Math.min(left.rows.length, SHOWN);
  return section(`Changed since (${formatCount(left.found)})`, [
    table(
      ['table', 'row', 'what', 'by'],
      left.rows
        .slice(0, SHOWN)
        .map((row) => [
          row.table,
          keyText(row),
          whatText(row),
          row.by === null ? 'another program or a replay' : `${row.by.command} ${row.by.runId}`,
        ]),
    ),
    text(...(more > 0 ? [faint(`and ${formatCount(more)} more`)] : [])),
  ]);
}

function nextSteps(result: UndoResult): Remedy[] {
  const { runId } = result.undone;
  if (result.status === 'failed') {
    const later = [...new Set(result.left.rows.flatMap((row) => (row.by === null ? [] : [row.by.runId])))];
    const undoable = later.slice(0, 1).map((id) => remedy('undo', [id], 'undoes the later run first'));
    return [...undoable, remedy('undo', [runId, '--force'], 'restores everything else')];
  }
  if (result.dryRun) {
    return [remedy('undo', result.status === 'partial' ? [runId, '--force'] : [runId], 'restores them')];
  }
  return result.runId === null ? [] : [remedy('undo', [result.runId], 'redoes the work of that run')];
}

/** `changed: status, body`; what a row is worth is in its columns. */
function whatText({ how, columns }: LeftRow): string {
  if (columns.length === 0) return WHAT[how];
  const more = columns.length - NAMED_COLUMNS;
  const names = columns.slice(0, NAMED_COLUMNS).join(', ');
  return `${WHAT[how]}: ${names}${more > 0 ? ` and ${more} more` : ''}`;
}

/** A key of one column by its value, of several with their names. */
function keyText({ key }: LeftRow): string {
  const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
  const [only, ...others] = Object.values(key);
  return others.length === 0
    ? text(only)
    : Object.entries(key)
        .map(([name, value]) => `${name}=${text(value)}`)
        .join(' ');
}
