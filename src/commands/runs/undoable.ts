import type { RunRow } from '../../store/tables/sync-runs.js';

/** The commands whose journal holds every row that they changed. */
export const UNDOABLE = ['dedupe', 'verify', 'undo', 'raw discard'] as const;

/** The undo by which a run is undone at present: one that was not undone itself. */
export function undoOf(runId: string, undos: readonly RunRow[]): RunRow | undefined {
  return undos.find((undo) => undo.undid === runId && undoOf(undo.id, undos) === undefined);
}

/** Whether `undo` can put back what the run changed. */
export function canUndo(run: RunRow, undos: readonly RunRow[]): boolean {
  return (
    run.isJournaled &&
    UNDOABLE.some((command) => command === run.command) &&
    undoOf(run.id, undos) === undefined
  );
}
