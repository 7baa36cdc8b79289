import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { JsonObject } from '../../model/json.js';
import type { Position } from '../../model/raw-entry.js';
import type { RunResult } from '../../model/run-result.js';
import { identifyInput, sameInput } from '../../inputs/input-identity.js';
import type { ResolvedInput } from '../../inputs/resolve-inputs.js';
import type { Sql } from '../../store/sql.js';
import { readUnfinishedRuns, type UnfinishedRun } from '../../store/tables/sync-runs.js';
import type { Batch } from '../../ingest/batch/batch.js';

/**
 * What a killed run leaves behind, written in its last batch's transaction: its inputs and the position up to which
 * everything is in the database. Without it, the same command would reach the same state, only later.
 */
const checkpointSchema = z.object({
  version: z.literal(1),
  paths: z.array(z.string()),
  settings: z.string(),
  position: z.object({
    input: z.number().int(),
    member: z.number().int().optional(),
    offset: z.number().int(),
    line: z.number().int(),
    element: z.number().int(),
    given: z.number().int().optional(),
  }),
  identity: z
    .object({
      absolutePath: z.string(),
      size: z.number(),
      offset: z.number(),
      headSha256: z.string(),
      tailSha256: z.string(),
    })
    .optional(),
  /** sha256 over the identities of finished inputs: a replaced one must be read again. */
  finished: z.string(),
  entries: z.number().int(),
  /** Problems so far, of this run and of the runs it resumed: a resumed run must not end as if there were none. */
  problems: z.number().int(),
  origin: z.string(),
});
export type Checkpoint = z.infer<typeof checkpointSchema>;

export interface ResumePoint {
  runId: string;
  checkpoint: Checkpoint;
}

/** A resume point, as shown in the run's result. */
export function describeResume({ runId, checkpoint }: ResumePoint): NonNullable<RunResult['resumedFrom']> {
  return {
    runId,
    entriesSkipped: checkpoint.entries,
    problems: checkpoint.problems,
    origin: checkpoint.origin,
  };
}

/** Paths of resumable inputs; null if one of them (stdin) cannot be read twice. */
export function resumablePaths(inputs: readonly ResolvedInput[]): string[] | null {
  const paths = inputs.map((input) => (input.kind === 'file' ? input.absolutePath : null));
  return paths.every((path) => path !== null) ? paths : null;
}

export function toJson(checkpoint: Checkpoint): JsonObject {
  const { identity, ...rest } = checkpoint;
  return identity === undefined ? rest : { ...rest, identity };
}

/** The checkpoint with the problems found so far. */
export function withProblems(checkpoint: Checkpoint | null, found: number): Checkpoint | null {
  return checkpoint === null ? null : { ...checkpoint, problems: checkpoint.problems + found };
}

/**
 * The newest run of the same command over the same inputs that stopped early and is no longer alive, if its input is
 * unchanged up to the checkpoint (a grown log is; a replaced one is not). `recorded`: a text as runs record it.
 */
export async function findResumePoint(
  sql: Sql,
  inputs: readonly ResolvedInput[],
  settings: string,
  isAlive: (run: UnfinishedRun) => Promise<boolean>,
  recorded: (text: string) => string,
): Promise<ResumePoint | null> {
  const paths = resumablePaths(inputs)?.map(recorded).join('\n');
  if (paths === undefined) return null;
  for (const run of await readUnfinishedRuns(sql, 'replay')) {
    const parsed = checkpointSchema.safeParse(run.checkpoint);
    if (!parsed.success) continue;
    const checkpoint = parsed.data;
    if (checkpoint.settings !== recorded(settings) || checkpoint.paths.join('\n') !== paths) continue;
    if (await isAlive(run)) continue;
    if (await isStillTrue(inputs, checkpoint, recorded)) return { runId: run.id, checkpoint };
  }
  return null;
}

/** Whether the inputs are unchanged: finished ones as a whole, the current one up to the checkpoint. */
async function isStillTrue(
  inputs: readonly ResolvedInput[],
  checkpoint: Checkpoint,
  recorded: (text: string) => string,
): Promise<boolean> {
  const { input: index, offset } = checkpoint.position;
  if ((await new FinishedInputs(inputs).digestUpTo(index)) !== checkpoint.finished) return false;
  const input = inputs[index];
  if (input === undefined) return index === inputs.length;
  const now = await identifyInput(input, offset);
  const asRecorded = now === undefined ? now : { ...now, absolutePath: recorded(now.absolutePath) };
  return sameInput(checkpoint.identity, asRecorded);
}

/** Describes a run's position, batch by batch; reads 68 KB of the current file, whatever its size. */
export class CheckpointKeeper {
  private readonly paths: string[] | null;
  private readonly finished: FinishedInputs;
  private last: Checkpoint | null = null;

  constructor(
    private readonly inputs: readonly ResolvedInput[],
    private readonly settings: string,
    /** What an earlier run over these inputs completed. */
    private readonly before: { entries: number; problems: number },
  ) {
    this.paths = resumablePaths(inputs);
    this.finished = new FinishedInputs(inputs);
  }

  /**
   * The checkpoint after `batch`; inside an entry larger than a batch it does not advance. Null if the inputs cannot be
   * read twice.
   */
  async after(batch: Batch, entriesRead: number): Promise<Checkpoint | null> {
    const done = batch.slices.filter((slice) => slice.isLast);
    const last = done.at(-1);
    if (this.paths === null || last?.after === undefined || last.after === null) return this.last;
    const position: Position = last.after;
    const input = this.inputs[position.input];
    const identity = input === undefined ? undefined : await identifyInput(input, position.offset);
    this.last = {
      version: 1,
      paths: this.paths,
      settings: this.settings,
      position,
      ...(identity === undefined ? {} : { identity }),
      finished: await this.finished.digestUpTo(position.input),
      entries: this.before.entries + entriesRead + done.length,
      problems: this.before.problems,
      origin: last.entry.origin,
    };
    return this.last;
  }
}

/** Identities of fully read inputs, in one digest; each is checked once. */
class FinishedInputs {
  private readonly identities: string[] = [];

  constructor(private readonly inputs: readonly ResolvedInput[]) {}

  async digestUpTo(count: number): Promise<string> {
    for (const input of this.inputs.slice(this.identities.length, count)) {
      this.identities.push(JSON.stringify((await identifyInput(input)) ?? null));
    }
    return createHash('sha256').update(this.identities.slice(0, count).join('\n')).digest('hex');
  }
}
