import { ConfigError, UserError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { Sql } from '../../store/sql.js';
import { readJournaledRuns, readUndos, type RunRow } from '../../store/tables/sync-runs.js';
import { describeRun, findRun, isUndoable, UNDOABLE, undoOf } from '../runs/find-run.js';

/**
 * The run to undo. Throws ConfigError for a run that does not exist, is ambiguous, or cannot be undone, and UserError
 * for one already undone.
 */
export async function chooseRun(sql: Sql, typed: string): Promise<RunRow> {
  const run = await findRun(sql, typed, (reason) => listUndoable(sql, reason));
  if (!isUndoable(run)) throw await notUndoable(sql, run);
  const by = undoOf(run.id, await readUndos(sql));
  if (by !== undefined) {
    throw new UserError(`Run ${run.id} was already undone by undo ${by.id}.`, {
      code: 'already_undone',
      remedy: remedy('undo', [by.id], 'redoes the work of that run'),
    });
  }
  if (!run.isJournaled) {
    throw new ConfigError(`Run ${run.id} (${run.command}) changed nothing, so there is nothing to undo.`, {
      code: 'nothing_to_undo',
    });
  }
  return run;
}

/** Says why, and for a replay that merged leads, why that is intended. */
async function notUndoable(sql: Sql, run: RunRow): Promise<ConfigError> {
  const why =
    run.command === 'erase'
      ? 'What it erased is gone on purpose, and nothing here can bring it back.'
      : run.command === 'prune'
        ? 'The bodies that it removed are gone; the files that they came from are the only copies.'
        : run.isJournaled
          ? 'The raw log says that the leads it merged are one person, so the next replay would merge them again; what it stored comes from the log as well.'
          : 'Undo restores what a journaled run changed; this run has no journal.';
  const discard = remedy('raw discard', ['--run', run.id], 'removes raw entries that it stored by mistake');
  const undoable = await listUndoable(sql, why);
  const storedOnly = run.command === 'replay' && !run.isJournaled;
  return new ConfigError(`Run ${run.id} (${run.command}) cannot be undone.`, {
    code: 'not_undoable',
    remedy: storedOnly ? [undoable, discard] : undoable,
  });
}

/** The newest runs that can be undone, among the last `most` that changed something. */
export async function readUndoable(sql: Sql, most: number): Promise<RunRow[]> {
  const undos = await readUndos(sql);
  const runs = await readJournaledRuns(sql, UNDOABLE, most);
  return runs.filter((run) => undoOf(run.id, undos) === undefined);
}

async function listUndoable(sql: Sql, reason: string): Promise<string> {
  const runs = await readUndoable(sql, 5);
  return runs.length === 0
    ? `${reason} There is no run that can be undone.`
    : `${reason} Runs that can be undone: ${runs.map(describeRun).join(', ')}.`;
}
