/**
 * The library under the command: open a database, replay raw entries, read what became of them. Every use-case is
 * `(ctx, options) => Promise<result>`; nothing here prints, exits or reads the environment.
 */
export { replay } from './core/replay/replay.js';
export type { LogSelection, ReplayInput, ReplayOptions } from './core/replay/options.js';
export { dedupe } from './core/dedupe/dedupe.js';
export type { DedupeOptions } from './core/dedupe/options.js';
export { DUPLICATE_CLASSES, type DedupeResult, type DuplicateClass } from './core/dedupe/result.js';
export { undo } from './core/undo/undo.js';
export type { UndoOptions } from './core/undo/options.js';
export type { UndoResult } from './core/undo/result.js';
export { listRuns, showRun, type ListRunsOptions } from './core/runs/read-runs.js';
export type { RunDetail, RunList, RunView } from './core/runs/view.js';
export { rawDiscard } from './core/raw-discard/raw-discard.js';
export type { RawDiscardOptions, RawDiscardResult } from './core/raw-discard/result.js';
export { verify } from './core/verify/verify.js';
export type { VerifyOptions } from './core/verify/options.js';
export { CHECK_NAMES, type CheckName, type VerifyResult } from './core/verify/result.js';
export { report } from './core/report/report.js';
export type { ReportOptions } from './core/report/options.js';
export type { ReportResult } from './core/report/result.js';
export { reconcile } from './core/reconcile/reconcile.js';
export type { ReconcileOptions } from './core/reconcile/options.js';
export type { ReconcileResult } from './core/reconcile/result.js';
export { readMessages } from './core/messages/read-messages.js';
export type { MessagesOptions } from './core/messages/options.js';
export type { MessagesResult } from './core/messages/result.js';
export { explain } from './core/explain/explain.js';
export type { ExplainOptions } from './core/explain/options.js';
export type { ExplainResult } from './core/explain/result.js';
export { importContact } from './core/import/import-contact.js';
export { importList } from './core/import/import-list.js';
export type { ImportListOptions, ImportOptions } from './core/import/options.js';
export type { ImportListResult, ImportResult } from './core/import/result.js';
export { linkDevice } from './core/devices/link.js';
export { createPhones } from './core/devices/phones.js';
export { deviceStatus } from './core/devices/status.js';
export { unlinkDevice } from './core/devices/unlink.js';
export type { DeviceOptions, LinkOptions, UnlinkOptions } from './core/devices/options.js';
export type { Context, ProgressEvent } from './core/context.js';
export { openStore, type DatabaseConfig, type OpenStoreOptions } from './store/open-store.js';
export { acquireRunLock, type RunLock, type RunLockOptions } from './store/locks/run-lock.js';
export { migrate, migrationStatus } from './store/migrations/migrate.js';
export type { Backend, Store } from './store/store.js';
export { resolveInputs, type ResolvedInput } from './sources/resolve-inputs.js';
export * from './model/enumerations.js';
export { ConfigError, EXIT, LockedError, UserError } from './model/errors.js';
export type * from './model/run-result.js';
