import { ConfigError, UserError } from '../../model/errors.js';
import type { Sql } from '../../store/sql.js';
import { countEntries } from '../../store/undo-journal.js';
import { findRuns, readJournaledRuns, readUndos, type RecordedRun } from '../../store/undoable-runs.js';

/** The commands whose journal holds every row that they changed. */
const UNDOABLE = ['dedupe', 'verify', 'undo'];

/** What a person may type: a run's id, or enough of its beginning. */
const PREFIX = /^[0-9a-f-]{4,36}$/;

/**
 * The run that is to be undone. Throws ConfigError for a run that does not exist, is not the only one of its name, or
 * cannot be undone, and UserError for one that was undone already.
 */
export async function chooseRun(sql: Sql, typed: string): Promise<RecordedRun> {
  const run = await theOneRun(sql, typed);
  if (!UNDOABLE.includes(run.command)) throw await notUndoable(sql, run);
  const by = undoOf(run.id, await readUndos(sql));
  if (by !== undefined) {
    throw new UserError(`Run ${run.id} was undone already, by the undo ${by.id}.`, {
      code: 'already_undone',
      remedy: `Nothing was changed. To have the run's work again, undo that undo: wa-reconcile undo ${by.id}`,
    });
  }
  if ((await countEntries(sql, run.id)) === 0) {
    throw new ConfigError(`Run ${run.id} (${run.command}) changed nothing, so there is nothing to undo.`, {
      code: 'nothing_to_undo',
    });
  }
  return run;
}

async function theOneRun(sql: Sql, typed: string): Promise<RecordedRun> {
  const prefix = typed.trim().toLowerCase();
  if (!PREFIX.test(prefix)) {
    throw new ConfigError(`'${typed}' is no run.`, {
      code: 'unknown_run',
      remedy: await listUndoable(sql, 'Give the id of a run, or its beginning (at least four characters).'),
    });
  }
  const runs = await findRuns(sql, prefix);
  const [run] = runs;
  if (run === undefined) {
    throw new ConfigError(`There is no run ${prefix}.`, {
      code: 'unknown_run',
      remedy: await listUndoable(sql, 'A plan and a dry run are no runs: they change nothing.'),
    });
  }
  if (runs.length > 1) {
    throw new ConfigError(`Several runs begin with ${prefix}.`, {
      code: 'ambiguous_run',
      remedy: `Give more of the id: ${runs.map(describeRun).join(', ')}.`,
    });
  }
  return run;
}

/** Says why, and for a replay that merged leads, why that is no accident. */
async function notUndoable(sql: Sql, run: RecordedRun): Promise<ConfigError> {
  const merged = (await countEntries(sql, run.id)) > 0;
  const why = merged
    ? 'The leads that it merged are one person by what the raw log says, and the next replay would merge them again; what it stored comes from the log as well.'
    : 'Undo puts back what dedupe merged; this run merged nothing.';
  return new ConfigError(`Run ${run.id} (${run.command}) cannot be undone.`, {
    code: 'not_undoable',
    remedy: await listUndoable(sql, why),
  });
}

async function listUndoable(sql: Sql, reason: string): Promise<string> {
  const undone = new Set((await readUndos(sql)).map((undo) => undo.undid));
  const runs = (await readJournaledRuns(sql, UNDOABLE, 5)).filter((run) => !undone.has(run.id));
  return runs.length === 0
    ? `${reason} No run can be undone at present.`
    : `${reason} Can be undone: ${runs.map(describeRun).join(', ')}.`;
}

function describeRun(run: RecordedRun): string {
  return `${run.id} (${run.command}, ${new Date(run.startedAt).toISOString()})`;
}

/** The undo by which a run is undone at present: one that was not undone itself. */
function undoOf(runId: string, undos: readonly RecordedRun[]): RecordedRun | undefined {
  return undos.find((undo) => undo.undid === runId && undoOf(undo.id, undos) === undefined);
}
