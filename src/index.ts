/**
 * The library under the command: open a database, replay raw entries, read what became of them. Every use-case is
 * `(ctx, options) => Promise<result>`; nothing here prints, exits or reads the environment.
 */
export { replay } from './commands/replay/replay.js';
export type { LogSelection, ReplayInput, ReplayOptions } from './commands/replay/options.js';
export { dedupe } from './commands/dedupe/dedupe.js';
export type { DedupeOptions } from './commands/dedupe/options.js';
export { DUPLICATE_CLASSES, type DedupeResult, type DuplicateClass } from './commands/dedupe/result.js';
export { undo } from './commands/undo/undo.js';
export type { UndoOptions } from './commands/undo/options.js';
export type { UndoResult } from './commands/undo/result.js';
export { listRuns, showRun, type ListRunsOptions } from './commands/runs/read-runs.js';
export type { RunDetail, RunList, RunView } from './commands/runs/view.js';
export { rawDiscard } from './commands/raw-discard/raw-discard.js';
export type { RawDiscardOptions, RawDiscardResult } from './commands/raw-discard/result.js';
export { verify } from './commands/verify/verify.js';
export type { VerifyOptions } from './commands/verify/options.js';
export { CHECK_NAMES, type CheckName, type VerifyResult } from './commands/verify/result.js';
export { report } from './commands/report/report.js';
export type { ReportOptions, ReportResult } from './commands/report/types.js';
export { reconcile } from './commands/reconcile/reconcile.js';
export type { ReconcileOptions } from './commands/reconcile/options.js';
export type { ReconcileResult } from './commands/reconcile/result.js';
export { readMessages } from './commands/messages/read-messages.js';
export type { MessagesOptions } from './commands/messages/options.js';
export type { MessagesResult } from './commands/messages/result.js';
export { explain } from './commands/explain/explain.js';
export type { ExplainOptions } from './commands/explain/options.js';
export type { ExplainResult } from './commands/explain/result.js';
export { importContact } from './commands/import/import-contact.js';
export { importList } from './commands/import/import-list.js';
export type { ImportListOptions, ImportOptions } from './commands/import/options.js';
export type { ImportListResult, ImportResult } from './commands/import/result.js';
export { linkDevice } from './commands/devices/link.js';
export { createPhones } from './commands/devices/phones.js';
export { deviceStatus } from './commands/devices/status.js';
export { unlinkDevice } from './commands/devices/unlink.js';
export type { DeviceOptions, LinkOptions, UnlinkOptions } from './commands/devices/options.js';
export type { Context, ProgressEvent } from './context.js';
export { openStore, type DatabaseConfig, type OpenStoreOptions } from './store/open-store.js';
export { acquireRunLock, type RunLock, type RunLockOptions } from './store/locks/run-lock.js';
export { migrate, migrationStatus } from './store/migrations/migrate.js';
export type { Backend, Store } from './store/store.js';
export { resolveInputs, type ResolvedInput } from './inputs/resolve-inputs.js';
export * from './model/enumerations.js';
export { ConfigError, EXIT, LockedError, UserError } from './model/errors.js';
export type * from './model/run-result.js';
