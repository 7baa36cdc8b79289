/**
 * The library under the command. `createContext` opens a database; every use-case is a function of it and a few
 * options, with the defaults of the command line, and returns what `--json` prints. Nothing here prints, exits or reads
 * the environment. Linked devices are separate: `wa-reconcile/devices`.
 */
export { createContext } from './library/create-context.js';
export type { HomeOptions, LibraryContext, ServerOptions } from './library/create-context.js';
export * from './library/use-cases.js';
export * from './library/graph.js';
export * from './library/keep.js';
export type { Moment } from './library/options.js';
export type {
  BackupResult,
  CheckResult as BackupCheckResult,
  RestoreResult,
} from './commands/backup/types.js';
export type { EraseResult } from './commands/erase/types.js';
export type {
  ExportedConversation,
  ExportedMessage,
  ExportSink,
  ExportSummary,
} from './commands/export/types.js';
export type { PruneResult } from './commands/prune/types.js';
export type { AddConnectionResult } from './commands/connections/save.js';
export type { ComparedItem, CompareResult } from './commands/compare/types.js';
export type { ConnectionList } from './commands/connections/list.js';
export { DUPLICATE_CLASSES, type DedupeResult, type DuplicateClass } from './commands/dedupe/result.js';
export type { HistoryRequestResult } from './commands/graph/request-history.js';
export type { CheckResult } from './commands/graph/types.js';
export type { MediaFetchResult, MediaStatusResult } from './commands/media/types.js';
export type { InspectResult } from './commands/inspect/types.js';
export type { ExplainResult } from './commands/explain/result.js';
export type { MessagesResult } from './commands/messages/result.js';
export type { ReconcileResult } from './commands/reconcile/types.js';
export type { ReportResult } from './commands/report/types.js';
export type { RunDetail, RunList, RunView } from './commands/runs/runs.js';
export type { UndoResult } from './commands/undo/types.js';
export {
  CHECK_NAMES,
  type CheckName,
  type VerifiedItem,
  type VerifyResult,
} from './commands/verify/types.js';
export type { ProgressEvent } from './context.js';
export * from './model/enumerations.js';
export { ConfigError, EXIT, LockedError, UserError } from './model/errors.js';
export type * from './model/run-result.js';
