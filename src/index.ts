/**
 * The library under the command: open a database, replay raw entries, read what became of them. Every use-case is
 * `(ctx, options) => Promise<result>`; nothing here prints, exits or reads the environment.
 */
export { replay } from './core/replay/replay.js';
export type { LogSelection, ReplayInput, ReplayOptions } from './core/replay/options.js';
export type { Context, ProgressEvent } from './core/context.js';
export { openStore, type DatabaseConfig, type OpenStoreOptions } from './store/open-store.js';
export { acquireRunLock, type RunLock, type RunLockOptions } from './store/locks/run-lock.js';
export { migrate, migrationStatus } from './store/migrations/migrate.js';
export type { Backend, Store } from './store/store.js';
export { resolveInputs, type ResolvedInput } from './sources/resolve-inputs.js';
export * from './model/enumerations.js';
export { ConfigError, EXIT, LockedError, UserError } from './model/errors.js';
export type * from './model/run-result.js';
