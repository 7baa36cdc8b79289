/** The caller holds the run lock, exclusive, while `undo` runs. */
export interface UndoOptions {
  /** The id of the run to undo, or the beginning of it. */
  run: string;
  /** Put back what nobody touched since, column by column, and leave the rest, instead of leaving everything. */
  force: boolean;
  /** Do everything, and roll it back. */
  dryRun: boolean;
  /** For sync_runs.options: what the user asked for, without secrets. */
  recordedOptions: Record<string, string | number | boolean | string[]>;
}
