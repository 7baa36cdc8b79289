import { z } from 'zod';
import type { JsonObject } from '../../model/json.js';
import type { Position } from '../../model/raw-entry.js';
import type { RunResult } from '../../model/run-result.js';
import { identifyInput, sameInput } from '../../sources/input-identity.js';
import type { ResolvedInput } from '../../sources/resolve-inputs.js';
import { readUnfinishedRuns, type UnfinishedRun } from '../../store/runs.js';
import type { Sql } from '../../store/sql.js';

/**
 * What a killed run leaves behind inside its last batch's transaction: the inputs it was given and the place up to which
 * everything is in the database. Without it the same command would still end in the same database, only later.
 */
const checkpointSchema = z.object({
  version: z.literal(1),
  paths: z.array(z.string()),
  settings: z.string(),
  position: z.object({
    input: z.number().int(),
    offset: z.number().int(),
    line: z.number().int(),
    element: z.number().int(),
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
  entries: z.number().int(),
  origin: z.string(),
});
export type Checkpoint = z.infer<typeof checkpointSchema>;

export interface ResumePoint {
  runId: string;
  checkpoint: Checkpoint;
}

/** A resume point as the result of the run tells it. */
export function describeResume({ runId, checkpoint }: ResumePoint): NonNullable<RunResult['resumedFrom']> {
  return { runId, entriesSkipped: checkpoint.entries, origin: checkpoint.origin };
}

/** Paths of inputs that can be gone on with; null when one of them (stdin) cannot be read twice. */
export function resumablePaths(inputs: readonly ResolvedInput[]): string[] | null {
  const paths = inputs.map((input) => (input.kind === 'file' ? input.absolutePath : null));
  return paths.every((path) => path !== null) ? paths : null;
}

export function toJson(checkpoint: Checkpoint): JsonObject {
  const { identity, ...rest } = checkpoint;
  return identity === undefined ? rest : { ...rest, identity };
}

/**
 * The newest run of the same command over the same inputs that stopped before its end, if its input is still the same up
 * to the checkpoint (a log that has grown since is; a replaced one is not) and the run itself is not alive any more.
 */
export async function findResumePoint(
  sql: Sql,
  inputs: readonly ResolvedInput[],
  settings: string,
  isAlive: (run: UnfinishedRun) => Promise<boolean>,
): Promise<ResumePoint | null> {
  const paths = resumablePaths(inputs);
  if (paths === null) return null;
  for (const run of await readUnfinishedRuns(sql, 'replay')) {
    const parsed = checkpointSchema.safeParse(run.checkpoint);
    if (!parsed.success) continue;
    const checkpoint = parsed.data;
    if (checkpoint.settings !== settings || checkpoint.paths.join('\n') !== paths.join('\n')) continue;
    if (await isAlive(run)) continue;
    const input = inputs[checkpoint.position.input];
    if (input === undefined) continue;
    const now = await identifyInput(input, checkpoint.position.offset);
    if (sameInput(checkpoint.identity, now)) return { runId: run.id, checkpoint };
  }
  return null;
}

/** The checkpoint for a position; null when the inputs cannot be read twice. Reads 68 KB of the file, whatever its size. */
export async function describeCheckpoint(
  inputs: readonly ResolvedInput[],
  settings: string,
  position: Position,
  entries: number,
  origin: string,
): Promise<Checkpoint | null> {
  const paths = resumablePaths(inputs);
  const input = inputs[position.input];
  if (paths === null || input === undefined) return null;
  const identity = await identifyInput(input, position.offset);
  return {
    version: 1,
    paths,
    settings,
    position,
    ...(identity === undefined ? {} : { identity }),
    entries,
    origin,
  };
}
