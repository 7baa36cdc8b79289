import type { LeftRow, UndoResult } from '../../core/undo/result.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import type { Look } from './look.js';
import { nextLines } from './next-lines.js';
import type { Grid, Presentation } from './presentation.js';
import { formatAmount, formatCount } from './quantities.js';
import { sanitize } from './sanitize.js';
import { renderTable } from './table.js';

/** So many rows are shown to people; JSON has more. */
const SHOWN = 10;
/** Columns named of each. */
const NAMED_COLUMNS = 3;

/** What an undo did, in every format. */
export function presentUndo(result: UndoResult): Presentation {
  const csv: Grid = {
    columns: ['table', 'inserted', 'updated', 'deleted'],
    rows: result.tables.map(({ table, inserted, updated, deleted }) => [table, inserted, updated, deleted]),
  };
  const left: Grid = {
    title: `Touched since (${result.left.found})`,
    columns: ['table', 'key', 'what', 'columns', 'by run', 'command', 'at'],
    rows: result.left.rows.map((row) => [
      row.table,
      keyText(row),
      WHAT[row.how],
      row.columns.join(' '),
      row.by?.runId ?? null,
      row.by?.command ?? null,
      row.by?.at ?? null,
    ]),
  };
  return {
    json: result,
    lines: [result],
    csv,
    markdown: [
      { title: `Undo of ${result.undone.runId}`, ...csv },
      ...(left.rows.length === 0 ? [] : [left]),
    ],
    text: (look) => describeUndo(result, look),
  };
}

const WHAT: Readonly<Record<LeftRow['how'], string>> = {
  changed: 'changed',
  gone: 'gone',
  back: 'there again',
};

async function describeUndo(result: UndoResult, look: Look): Promise<string> {
  const parts = [headline(result, look)];
  if (result.tables.length > 0) {
    parts.push(
      '',
      await renderTable(
        [
          { heading: 'table' },
          { heading: 'put back in', align: 'right' },
          { heading: 'changed back', align: 'right' },
          { heading: 'taken out', align: 'right' },
        ],
        result.tables.map(({ table, inserted, updated, deleted }) => [
          table,
          formatCount(inserted),
          formatCount(updated),
          formatCount(deleted),
        ]),
        look,
        '  ',
      ),
    );
  }
  if (result.left.found > 0) parts.push('', await listLeft(result, look));
  const next = nextSteps(result);
  if (next.length > 0) {
    parts.push('', look.bold('Next'), ...nextLines(next, look).map((line) => `  ${line}`));
  }
  return parts.join('\n');
}

function headline({ status, dryRun, undone, rows, left, runId }: UndoResult, look: Look): string {
  const of = `${undone.command} ${undone.runId}`;
  const amount = formatAmount(rows, 'row');
  switch (status) {
    case 'failed':
      return `${look.red('✖')} Nothing was changed: ${formatAmount(left.found, 'row')} of ${sanitize(of)} ${left.found === 1 ? 'was' : 'were'} touched since.`;
    case 'completed':
    case 'partial': {
      const mark = status === 'completed' ? look.green('✔') : look.yellow('!');
      const rest = left.found === 0 ? '' : `; what was touched of ${formatAmount(left.found, 'row')} stays`;
      const line = dryRun
        ? `${mark} Would put back ${amount} of ${sanitize(of)}${rest}. Nothing was changed.`
        : `${mark} Put back ${amount} of ${sanitize(of)}${rest}.`;
      return runId === null ? line : `${line}\n  ${look.dim(`run ${runId}`)}`;
    }
  }
}

async function listLeft({ left }: UndoResult, look: Look): Promise<string> {
  const shown = left.rows.slice(0, SHOWN);
  const table = await renderTable(
    [{ heading: 'touched since' }, { heading: 'row' }, { heading: 'what' }, { heading: 'by' }],
    shown.map((row) => [
      row.table,
      sanitize(keyText(row)),
      whatText(row),
      row.by === null ? 'no run of ours that merges' : sanitize(`${row.by.command} ${row.by.runId}`),
    ]),
    look,
    '  ',
  );
  const more = left.found - shown.length;
  return more > 0 ? `${table}\n  ${look.dim(`and ${formatCount(more)} more`)}` : table;
}

function nextSteps(result: UndoResult): Remedy[] {
  const { runId } = result.undone;
  if (result.status === 'failed') {
    const later = [...new Set(result.left.rows.flatMap((row) => (row.by === null ? [] : [row.by.runId])))];
    const undoable = later.slice(0, 1).map((id) => remedy('undo', [id], 'undoes the later run first'));
    return [...undoable, remedy('undo', [runId, '--force'], 'puts back all but what was touched')];
  }
  if (result.dryRun) {
    return [remedy('undo', result.status === 'partial' ? [runId, '--force'] : [runId], 'does it')];
  }
  return result.runId === null ? [] : [remedy('undo', [result.runId], 'does the merge again')];
}

/** `changed: status, body`; what a row is worth is in its columns. */
function whatText({ how, columns }: LeftRow): string {
  if (columns.length === 0) return WHAT[how];
  const more = columns.length - NAMED_COLUMNS;
  const names = columns.slice(0, NAMED_COLUMNS).join(', ');
  return sanitize(`${WHAT[how]}: ${names}${more > 0 ? ` and ${more} more` : ''}`);
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
