import type { PruneClass } from '../../model/enumerations.js';
import type { PruneGroup } from '../../store/tables/prunable.js';

/** What `prune` removes. The caller holds the exclusive lock with `apply`. */
export interface PruneOptions {
  /** Received this long ago or longer, ms. */
  olderThan: number;
  classes: ReadonlySet<PruneClass>;
  /** Whether everything that says how an account stands keeps its body, and not only what no later one has overtaken. */
  keepAlerts: boolean;
  /** Without it, nothing changes. */
  apply: boolean;
  /** Also give the space back to the file system. */
  vacuum: boolean;
  /** Entries that are emptied in one transaction. */
  batchSize: number;
  /** For sync_runs.options: what the user asked for, without secrets. */
  recordedOptions: Record<string, string | number | boolean | string[]>;
}

/** The JSON of `prune`, `schemaVersion` 1; fields are only ever added. */
export interface PruneResult {
  schemaVersion: 1;
  command: 'prune';
  /** Null if nothing changed. */
  runId: string | null;
  /** `partial`: some entries keep their bodies, because a repair may need them, or their messages changed meanwhile. */
  status: 'completed' | 'partial' | 'interrupted';
  applied: boolean;
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  /** Received before then. */
  before: string;
  classes: PruneClass[];
  /** What is pruned, or would be, by class and connection. */
  groups: PruneGroup[];
  entries: { planned: number; pruned: number; kept: number };
  /** Stored bytes: planned, or won. */
  bytes: number;
  /** The first few entries that keep their bodies. */
  kept: string[];
  vacuumed: boolean;
  database: string;
}
