import { ConfigError } from '../../model/errors.js';
import { remedy, type Advices } from '../../model/remedy.js';
import type { Sql } from '../../store/sql.js';
import { findRuns, type RunRow } from '../../store/tables/sync-runs.js';

/** A run's id, or a long enough prefix. */
const PREFIX = /^[0-9a-f-]{4,36}$/;

const LIST = remedy('runs list', [], 'shows the ids of past runs');

/**
 * The run whose id is or starts with `typed`. Throws ConfigError if none or several match; `advice` names the caller's
 * alternatives.
 */
export async function findRun(
  sql: Sql,
  typed: string,
  advice: (reason: string) => Promise<Advices> = (reason) => Promise.resolve([reason, LIST]),
): Promise<RunRow> {
  const prefix = typed.trim().toLowerCase();
  if (!PREFIX.test(prefix)) {
    throw new ConfigError(`'${typed}' is not a run id.`, {
      code: 'unknown_run',
      remedy: await advice('Give the id of a run, or its beginning (at least four characters).'),
    });
  }
  const runs = await findRuns(sql, prefix);
  const [run] = runs;
  if (run === undefined) {
    throw new ConfigError(`There is no run ${prefix}.`, {
      code: 'unknown_run',
      remedy: await advice('Plans and dry runs are not recorded: they change nothing.'),
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

export function describeRun(run: RunRow): string {
  return `${run.id} (${run.command}, ${new Date(run.startedAt).toISOString()})`;
}

/** The commands that journal every row they change; of replays, only an adoption does. */
export const UNDOABLE = ['dedupe', 'verify', 'undo', 'raw discard'] as const;

/** Whether a run's journal holds every row that it changed. */
export function isUndoable({ command, options }: Pick<RunRow, 'command' | 'options'>): boolean {
  return (
    UNDOABLE.some((undoable) => undoable === command) || (command === 'replay' && options.adopt === true)
  );
}

/** The undo currently in effect for a run: one that was not undone itself. */
export function undoOf(runId: string, undos: readonly RunRow[]): RunRow | undefined {
  return undos.find((undo) => undo.undid === runId && undoOf(undo.id, undos) === undefined);
}

/** Whether `undo` can restore what the run changed. */
export function canUndo(run: RunRow, undos: readonly RunRow[]): boolean {
  return run.isJournaled && isUndoable(run) && undoOf(run.id, undos) === undefined;
}
