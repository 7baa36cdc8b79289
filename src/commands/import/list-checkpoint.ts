import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { JsonObject } from '../../model/json.js';
import { readUnfinishedRuns } from '../../store/tables/sync-runs.js';
import type { Context } from '../../context.js';
import { isRunAlive } from '../../ingest/runs/judge.js';
import type { ImportListOptions } from './options.js';

/** What a killed run over a list leaves behind after each contact. */
const checkpointSchema = z.object({
  version: z.literal(1),
  /** Digest of the list and of what was asked for. */
  list: z.string(),
  /** Contacts from the start of the list that are done. */
  done: z.number().int().min(0),
  /** Those of them that went wrong: they count in the verdict of whoever goes on. */
  failed: z.number().int().min(0).default(0),
});
type ListCheckpoint = z.infer<typeof checkpointSchema>;

export interface ListResume {
  runId: string;
  checkpoint: ListCheckpoint;
}

/** The same list with the same wishes, whatever file it came from. */
export function digestOf({ contacts, connection, phase, pages, until }: ImportListOptions): string {
  const list = contacts.map(({ contact }) => contact);
  const wishes = JSON.stringify([list, connection ?? null, phase, pages, until ?? null]);
  return createHash('sha256').update(wishes).digest('hex');
}

/** The newest run over the same list that stopped before its end and is not alive any more. */
export async function findListResume(ctx: Context, list: string): Promise<ListResume | null> {
  for (const run of await readUnfinishedRuns(ctx.store.sql, 'import')) {
    const parsed = checkpointSchema.safeParse(run.checkpoint);
    if (!parsed.success || parsed.data.list !== list) continue;
    if (!(await isRunAlive(ctx, run, ctx.store.sql))) return { runId: run.id, checkpoint: parsed.data };
  }
  return null;
}

export function toJson({ version, list, done, failed }: ListCheckpoint): JsonObject {
  return { version, list, done, failed };
}
