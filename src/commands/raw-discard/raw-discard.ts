import type { Context } from '../../context.js';
import { withRun } from '../../ingest/runs/with-run.js';
import { amount } from '../../model/amount.js';
import { ConfigError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import {
  discardEntries,
  groupDiscards,
  KEPT_BECAUSE,
  readAdoptionsInUse,
  type DiscardGroup,
  type DiscardSelection,
  type KeptBecause,
} from '../../store/journal/discards.js';
import { selectEntries } from './select-entries.js';

/** What `raw discard` removes: entries that match every condition. The caller holds the exclusive lock with `apply`. */
export interface RawDiscardOptions {
  /** Ids of raw entries, with or without `log:`, or a prefix. */
  entries: readonly string[];
  /** A file, a directory or a pattern with `*` and `?`, as named in the replay. */
  origin?: string | undefined;
  /** The id of the run that stored them, or a prefix. */
  run?: string | undefined;
  /** Without it, nothing changes. */
  apply: boolean;
  /** For sync_runs.options: what the user asked for, without secrets. */
  recordedOptions: Record<string, string | number | boolean | string[]>;
}

/** Entries of one file and connection. */
export interface DiscardedFile {
  /** Null for entries without a file. */
  file: string | null;
  connection: string | null;
  entries: number;
  /** Of these, the discarded ones. */
  discarded: number;
  kept: number;
  bytes: number;
  /** Messages from the kept ones. */
  messages: number;
}

/** Entries that are kept, and why. */
export interface KeptEntries {
  reason: KeptBecause;
  entries: number;
  /** Messages from them. */
  messages: number;
  /** The first few. */
  samples: { id: string; origin: string | null }[];
}

/** The JSON of `raw discard`, `schemaVersion` 1; fields are only ever added. */
export interface RawDiscardResult {
  schemaVersion: 1;
  command: 'raw discard';
  /** Null if nothing changed. */
  runId: string | null;
  /** `partial`: some of the chosen entries are kept; `failed`: all of them are. */
  status: 'completed' | 'partial' | 'failed';
  applied: boolean;
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  entries: { chosen: number; discarded: number; kept: number };
  bytes: number;
  /** Rejected items discarded with their entries. */
  rejects: number;
  files: DiscardedFile[];
  kept: KeptEntries[];
  /** Runs of `--adopt` that created kept entries, newest first: undoing them removes their entries. */
  adoptions: string[];
  database: string;
}

/** Kept entries named per reason. */
const NAMED = 5;

/**
 * Removes raw entries stored by mistake, with their rejected items; their bytes are kept for
 * `undo`. Without `apply` it only reports what would be discarded. Keeps entries that are the source of rows: those
 * would have no source. Throws ConfigError when nothing is chosen.
 */
export async function rawDiscard(ctx: Context, options: RawDiscardOptions): Promise<RawDiscardResult> {
  const startedAt = ctx.clock();
  const { sql } = ctx.store;
  const selection = await selectEntries(sql, options);
  const groups = await groupDiscards(sql, selection);
  if (groups.length === 0) {
    throw new ConfigError('No raw entry matches.', {
      code: 'no_entries',
      remedy: [
        'Name the file as it was named when it was replayed; explain and verify show entries as file:line.',
        remedy('runs list', ['--command', 'replay'], 'lists the runs that stored entries'),
      ],
    });
  }
  const entries = sumOf(groups, ({ entries: count }) => count);
  const discarded = sumOf(groups, ({ kept, entries: count }) => (kept === null ? count : 0));
  const done =
    options.apply && discarded > 0 ? await discard(ctx, options, selection, startedAt) : NOTHING_DONE;
  const adoptions = discarded === entries ? [] : await readAdoptionsInUse(sql, selection);
  const finishedAt = ctx.clock();
  return {
    schemaVersion: 1,
    command: 'raw discard',
    runId: done.runId,
    status: discarded === entries ? 'completed' : discarded === 0 ? 'failed' : 'partial',
    applied: done.runId !== null,
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: new Date(finishedAt).toISOString(),
    durationMs: finishedAt - startedAt,
    entries: { chosen: entries, discarded, kept: entries - discarded },
    bytes: sumOf(groups, ({ kept, bytes }) => (kept === null ? bytes : 0)),
    rejects: done.rejects,
    files: filesOf(groups),
    kept: keptOf(groups),
    adoptions,
    database: ctx.store.location,
  };
}

interface Done {
  runId: string | null;
  rejects: number;
}

const NOTHING_DONE: Done = { runId: null, rejects: 0 };

/** One transaction with the run's record: a killed discard leaves nothing behind. */
function discard(
  ctx: Context,
  options: RawDiscardOptions,
  selection: DiscardSelection,
  startedAt: number,
): Promise<Done> {
  return ctx.store.transaction((tx) =>
    withRun<Done>(
      ctx,
      {
        command: 'raw discard',
        options: options.recordedOptions,
        target: { sql: tx, dryRun: false },
        startedAt,
      },
      async (run) => {
        const { entries, rejects } = await discardEntries(tx, run.id, selection);
        const verdict = `Discarded ${amount(entries, 'raw entry', 'raw entries')}`;
        return {
          result: { runId: run.id, rejects },
          end: { status: 'completed', counters: { entries, rejects }, verdict },
        };
      },
    ),
  );
}

function filesOf(groups: readonly DiscardGroup[]): DiscardedFile[] {
  const files = new Map<string, DiscardedFile>();
  for (const { file, connection, kept, entries, bytes, messages } of groups) {
    const key = JSON.stringify([file, connection]);
    const sum = files.get(key) ?? {
      file,
      connection,
      entries: 0,
      discarded: 0,
      kept: 0,
      bytes: 0,
      messages: 0,
    };
    files.set(key, sum);
    sum.entries += entries;
    sum[kept === null ? 'discarded' : 'kept'] += entries;
    sum.bytes += bytes;
    sum.messages += messages;
  }
  return [...files.values()];
}

function keptOf(groups: readonly DiscardGroup[]): KeptEntries[] {
  return KEPT_BECAUSE.flatMap((reason) => {
    const own = groups.filter(({ kept }) => kept === reason);
    if (own.length === 0) return [];
    return [
      {
        reason,
        entries: sumOf(own, ({ entries }) => entries),
        messages: sumOf(own, ({ messages }) => messages),
        samples: own.flatMap(({ samples }) => samples).slice(0, NAMED),
      },
    ];
  });
}

function sumOf(groups: readonly DiscardGroup[], of: (group: DiscardGroup) => number): number {
  return groups.reduce((sum, group) => sum + of(group), 0);
}
